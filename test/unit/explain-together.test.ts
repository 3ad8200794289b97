/** Methods that read an input together, on the bundled networks, through the product's own path from input to explanation. */
import { readFileSync } from 'node:fs'
import { join } from 'node:path'
import { afterAll, beforeAll, describe, expect, test, vi } from 'vitest'
import { explain, type ExplainRequest, type Explanation } from '../../lib/explain.ts'
import { decodeImage } from '../../lib/image/decode.ts'
import { finerCam } from '../../lib/methods/image/finer-cam.ts'
import { METHODS } from '../../lib/methods/index.ts'
import type { Method } from '../../lib/methods/method.ts'
import { whyUnavailable } from '../../lib/methods/place.ts'
import { SharedReads } from '../../lib/methods/shared/shared-reads.ts'
import { listModels } from '../../lib/models/catalogue.ts'
import { loadModel, type LoadedModel } from '../../lib/models/load.ts'
import type { ExplainInput } from '../../lib/prepare.ts'
import { classTarget } from '../../lib/target/target.ts'
import { FLOAT32, relativeDifference } from '../helpers/tolerance.ts'

const root = join(import.meta.dirname, '../..')
const numbersOf = ({ attribution }: Explanation): Float32Array =>
  attribution.kind === 'image' ? attribution.map.data : Float32Array.from(attribution.tokens, ({ score }) => score)

describe.each([
  { id: 'pets-cnn', kind: 'image' as const },
  { id: 'reviews-minilm', kind: 'text' as const },
])('on $id', ({ id, kind }) => {
  let loaded: LoadedModel
  let input: ExplainInput
  let reading: readonly Method[]
  beforeAll(async () => {
    const entry = (await listModels(join(root, 'models'))).find((one) => one.id === id)
    if (entry === undefined) throw new Error(`models/${id} is missing`)
    loaded = await loadModel(entry)
    const { facts } = loaded
    reading = METHODS.filter((method) => method.reading !== undefined && whyUnavailable(method, facts) === null)
    input =
      kind === 'image'
        ? { kind, image: await decodeImage(readFileSync(join(root, 'public/samples/kitten.jpg'))) }
        : { kind, text: 'A dull plot, and yet a wonderful film: beautifully acted.' }
  })
  afterAll(() => loaded.model.dispose())

  const ask = (method: Method, reads: SharedReads | null, more: Partial<ExplainRequest> = {}): Promise<Explanation> => {
    const request = { method, params: {}, target: classTarget(null), seed: 0, reads, ...more }
    const hooks = { signal: new AbortController().signal, progress: () => undefined, now: () => 0 }
    return explain(loaded, input, request, hooks)
  }

  test('each finds what it finds alone, but for the last digits', async () => {
    const reads = new SharedReads()
    for (const method of reading) {
      const alone = await ask(method, null)
      const together = await ask(method, reads)
      expect(relativeDifference(numbersOf(together), numbersOf(alone)), method.id).toBeLessThan(FLOAT32)
      expect(together.diagnoses, method.id).toEqual(alone.diagnoses)
      expect(together.target?.index).toBe(alone.target?.index)
    }
    expect(reads.asked).toBeLessThan(reading.length)
  })

  test('whoever else reads: by itself and among others the same to the byte', async () => {
    const reads = new SharedReads()
    for (const method of reading.toReversed()) {
      const among = await ask(method, reads)
      expect(numbersOf(among), method.id).toEqual(numbersOf(await ask(method, new SharedReads())))
    }
  })

  test('one question for all that read a place, for one target under one rule set', async () => {
    const asked = vi.spyOn(loaded.model, 'ask')
    const reads = new SharedReads()
    // Finer-CAM looks at the logits before it can tell what it reads.
    const alike = reading.filter(
      (method) =>
        method.family === (kind === 'image' ? 'CAM' : 'gradient') &&
        method.needs.every(({ rules }) => rules === undefined) &&
        method !== finerCam,
    )
    expect(alike.length).toBeGreaterThan(1)
    const scalar = kind === 'image' ? {} : { scalar: 'logit' }
    for (const method of alike) await ask(method, reads, { params: scalar })
    expect(asked).toHaveBeenCalledOnce()
    await ask(alike[0] as Method, reads, { params: scalar, target: classTarget(0) })
    expect(asked).toHaveBeenCalledTimes(2)
    asked.mockRestore()
  })
})
