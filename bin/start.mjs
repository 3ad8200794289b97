// `npm start`: set up what is missing, then run the server in this very process, so that Ctrl-C reaches it once and
// nothing is left behind.
import { setUp, toolEnvironment } from './setup.mjs'

await setUp()

Object.assign(process.env, toolEnvironment(), { NODE_ENV: 'production' })
const { register } = await import('tsx/esm/api')
register()
const { main } = await import('../server/main.ts')
await main(process.argv.slice(2))
