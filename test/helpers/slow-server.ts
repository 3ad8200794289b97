/** A server in its own process with slow workers, to be killed: `slow-server.ts <data folder>`; prints its address. */
import { createLogger } from '../../server/logger.ts'
import { hubSettings } from '../../server/hub-settings.ts'
import { start } from '../../server/start.ts'
import { SLOW_WORKER } from './server.ts'

const server = await start({
  host: '127.0.0.1',
  port: 0,
  dataFolder: process.argv[2] ?? '',
  allowHosts: [],
  workers: 1,
  apiOnly: true,
  log: createLogger('silent'),
  hub: hubSettings({ HF_HUB_OFFLINE: '1' }, process.argv[2] ?? ''),
  workerEntry: SLOW_WORKER,
})
process.stdout.write(`${server.url}\n`)
