// `npm start`: set up what is missing, then run the server in this very process, so that Ctrl-C reaches it once and
// nothing is left behind. The set-up of a fresh clone takes minutes, so what stands in the server's way is said before.
import { checkNode, giveUp, ROOT, setUp, toolEnvironment } from './setup.mjs'

checkNode() // before anything that an old Node would stumble over
const { checkDataFolder, checkModelsFolder, checkPort, HELP, readOptions, StartError } =
  await import('../server/before-setup.mjs')

/** @returns false when there is nothing to start */
async function check(argv) {
  const options = readOptions(argv, process.env, ROOT)
  if (options.help) {
    process.stdout.write(HELP)
    return false
  }
  checkDataFolder(options.dataFolder)
  checkModelsFolder(options)
  await checkPort(options.host, options.port)
  return true
}

const argv = process.argv.slice(2)
const starts = await check(argv).catch((error) => {
  if (error instanceof StartError) giveUp(error.message)
  throw error
})
if (starts) {
  await setUp()
  Object.assign(process.env, toolEnvironment(), { NODE_ENV: 'production' })
  const { main } = await import('../dist/main.js')
  await main(argv)
}
