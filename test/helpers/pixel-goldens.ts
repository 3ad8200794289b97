/** What Captum, saliency and the papers' formulas say on a small network (bench/conformance/pixels.py), and methods run on the same. */
import { readFileSync } from 'node:fs'
import { join } from 'node:path'
import { afterAll, beforeAll, expect, it } from 'vitest'
import { z } from 'zod'
import type { ExplainableModel } from '../../lib/engine/model.ts'
import { loadOnnxModel } from '../../lib/engine/onnx/model/load.ts'
import type { ImageMethod, ImageResult } from '../../lib/methods/method.ts'
import type { ImagePreprocessing } from '../../lib/models/card.ts'
import { factsOf } from '../../lib/models/facts.ts'
import { headOf, imageContext } from '../../lib/prepare.ts'
import { classTarget } from '../../lib/target/target.ts'
import { float32 } from '../../lib/tensor/tensor.ts'
import { relativeDifference } from './tolerance.ts'

const FOLDER = join(import.meta.dirname, '../fixtures/conformance/pixels')
const numbers = z.array(z.number())
const schema = z.object({
  seed: z.number(),
  target: z.number(),
  height: z.number(),
  width: z.number(),
  mean: z.tuple([z.number(), z.number(), z.number()]),
  std: z.tuple([z.number(), z.number(), z.number()]),
  picture: numbers,
  logits: numbers,
  differences: z.record(z.string(), z.number()),
  goldens: z.record(z.string(), numbers),
})

/** Of the largest value: float32 through a whole network, against double precision. */
const CONFORMANCE = 1e-4

/** Loads the network once for the tests of a file. */
export function pixelGoldens() {
  const found = schema.parse(JSON.parse(readFileSync(join(FOLDER, 'goldens.json'), 'utf8')))
  const { height, width, mean, std } = found
  const preprocessing: ImagePreprocessing = {
    kind: 'image', width, height, resize: 'squash', layout: 'NCHW', mean: [...mean], std: [...std], colour: 'RGB',
  } // prettier-ignore
  let model: ExplainableModel
  beforeAll(async () => (model = await loadOnnxModel(join(FOLDER, 'network.onnx'), { threads: 1 })))
  afterAll(() => model.dispose())

  const run = async (
    method: ImageMethod,
    given: Readonly<Record<string, unknown>>,
    seed = found.seed,
  ): Promise<ImageResult> => {
    const params = method.params.parse(given)
    const facts = await factsOf(model, { title: 'The small network', preprocessing })
    const opened = { model, facts, head: headOf(model, found.logits.length) }
    const picture = float32(found.picture, [1, 3, height, width])
    const parts = {
      target: classTarget(found.target),
      seed,
      signal: new AbortController().signal,
      progress: () => undefined,
    }
    return method.run(imageContext(opened, picture, preprocessing, { of: method, params }, parts), params)
  }
  const golden = (name: string): readonly number[] => {
    const values = found.goldens[name]
    if (values === undefined) throw new RangeError(`no golden ${name}`)
    return values
  }
  /** One test: the method's map is the golden of that name. */
  const equals = (method: ImageMethod, name: string, params: Readonly<Record<string, unknown>> = {}): void => {
    it(`is ${name} of the peers or the paper to 1e-4 of its largest value`, async () => {
      const { map, logits, layer } = await run(method, params)
      expect(layer).toBeNull()
      expect(map.dims).toEqual([height, width])
      expect(relativeDifference(map.data, golden(name))).toBeLessThan(CONFORMANCE)
      expect(relativeDifference(logits.data, found.logits)).toBeLessThan(CONFORMANCE)
    })
  }
  return { equals, run, golden, differences: found.differences }
}
