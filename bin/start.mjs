// `npm start`: set up what is missing, then run the server in this very process, so that Ctrl-C reaches it once and
// nothing is left behind.
import { setUp, toolEnvironment } from './setup.mjs'

await setUp()

Object.assign(process.env, toolEnvironment(), { NODE_ENV: 'production' })
const { main } = await import('../dist/main.js')
await main(process.argv.slice(2))
