import { resolve } from 'node:path'
import { describe, expect, it } from 'vitest'
import { readOptions } from '../../../server/options.ts'

const read = (argv: string[], env: Record<string, string> = {}) => readOptions(argv, env as NodeJS.ProcessEnv, '/app')

describe('options', () => {
  it('have defaults: this computer only, the data folder beside the program', () => {
    expect(read([])).toMatchObject({ host: '127.0.0.1', port: 3000, dataFolder: resolve('/app/data'), apiOnly: false })
  })

  it('come from the environment, and the command line wins', () => {
    const env = { PORT: '4000', HOST: '0.0.0.0', LIMELIGHT_DATA_DIR: '/elsewhere', LIMELIGHT_WORKERS: '3' }
    expect(read([], env)).toMatchObject({ port: 4000, host: '0.0.0.0', dataFolder: resolve('/elsewhere'), workers: 3 })
    expect(read(['--port', '5000', '--host', '::1', '--data', '/third', '--workers', '4'], env)).toMatchObject({
      port: 5000,
      host: '::1',
      dataFolder: resolve('/third'),
      workers: 4,
    })
  })

  it("do not take the research data's variable for their own", () => {
    expect(read([], { LIMELIGHT_DATA: '/research' }).dataFolder).toBe(resolve('/app/data'))
  })

  it.each([
    [['--port', '65536'], /--port is "65536".*0 to 65535/],
    [['--port', '3e3'], /--port is "3e3"/],
    [['--workers', '0'], /--workers is "0"/],
    [['--log', 'loud'], /--log is "loud".*silent/],
    [['--prot', '1'], /--prot.*--help/],
    [['start'], /start/],
  ])('%j is refused', (argv, says) => expect(() => read(argv)).toThrow(says))
})
