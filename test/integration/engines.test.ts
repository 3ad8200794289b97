/** Which engine and backend compute a model, and why, as everybody can ask. */
import { afterAll, beforeAll, expect, it } from 'vitest'
import { RUNGS } from '../../lib/engine/tfjs/backend.ts'
import { createLogger } from '../../server/logger.ts'
import { startTestServer, type TestServer } from '../helpers/server.ts'

interface Answer {
  readonly models: readonly {
    readonly id: string
    readonly engine: {
      readonly name: string
      readonly backend: string
      readonly version: string
      readonly reason: string
    }
  }[]
}

let server: TestServer
const said: string[] = []
beforeAll(async () => {
  const log = Object.assign(createLogger('silent'), {
    warn: (line: string) => said.push(line),
    info: (line: string) => said.push(line),
  })
  server = await startTestServer({ log })
})
afterAll(() => server.remove())

it('models { engine { name backend version reason } } tells it for both engines, and the log once', async () => {
  const ask = () => server.data<Answer>('{ models { id engine { name backend version reason } } }')
  const { models } = await ask()
  const engineOf = (id: string) => models.find((model) => model.id === id)?.engine

  expect(engineOf('pets-cnn')).toEqual({
    name: 'onnx',
    backend: 'cpu',
    version: expect.stringMatching(/^\d+\.\d+/) as string,
    reason: expect.stringMatching(/CPU provider/) as string,
  })
  expect(engineOf('reviews-minilm')).toMatchObject({ name: 'onnx', backend: 'cpu' })

  const tfjs = engineOf('pets-cnn-tfjs')
  expect(tfjs).toMatchObject({ name: 'tfjs', version: expect.stringMatching(/^\d+\.\d+/) as string })
  const rung = RUNGS.findIndex(({ name }) => name === tfjs?.backend)
  expect(rung).toBeGreaterThanOrEqual(0)
  // Each faster backend is named with what was wrong with it.
  const passedOver = RUNGS.slice(0, rung).map(({ name }) => name)
  expect(tfjs?.reason === '' ? [] : tfjs?.reason.split('; ').map((part) => part.split(': ')[0])).toEqual(passedOver)
  expect(tfjs?.reason).not.toMatch(/\/|\n/)

  await ask()
  expect(said.filter((line) => line.startsWith('TensorFlow.js computes on'))).toEqual([
    `TensorFlow.js computes on ${tfjs?.backend ?? ''}${tfjs?.reason === '' ? '' : ` (${tfjs?.reason ?? ''})`}`,
  ])
  expect(said.filter((line) => line.startsWith('ONNX Runtime computes on cpu'))).toHaveLength(1)
})
