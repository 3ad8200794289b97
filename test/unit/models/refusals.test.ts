/** What facts say of every rule set at every layer is what asking does, in the same sentence. */
import { fileURLToPath } from 'node:url'
import { describe, expect, test } from 'vitest'
import { readNetwork } from '../../../bench/networks/network.ts'
import type { Answer, ExplainableModel, RuleSet, RuleSetInfo, Tap } from '../../../lib/engine/model.ts'
import { loadOnnxModel } from '../../../lib/engine/onnx/model/load.ts'
import { loadTfjsModel } from '../../../lib/engine/tfjs/load.ts'
import { whyRefused } from '../../../lib/engine/refusal.ts'
import { AppError } from '../../../lib/errors.ts'
import type { NeedsPlace } from '../../../lib/methods/need.ts'
import { placeFor, whyUnavailable } from '../../../lib/methods/place.ts'
import { factsOf, type ModelFacts } from '../../../lib/models/facts.ts'
import { float32, sizeOf, zeros, type Tensor } from '../../../lib/tensor/tensor.ts'
import { AS_IT_IS } from '../../helpers/image-context.ts'

const at = (path: string): string => fileURLToPath(new URL(`../../../${path}`, import.meta.url))
const NETWORKS = at('test/fixtures/networks')

interface Opened {
  readonly model: ExplainableModel
  readonly feeds: Readonly<Record<string, Tensor>>
}

async function onnx(family: string): Promise<Opened> {
  const network = await readNetwork(NETWORKS, family)
  if ('refused' in network) throw new Error(network.refused)
  return { model: await loadOnnxModel(network.path, { threads: 1 }), feeds: network.feeds }
}

async function keras(): Promise<Opened> {
  const model = await loadTfjsModel(at('models/pets-cnn/tfjs/model.json'), {})
  const [input] = model.taps
  const dims = input?.shape.map((extent) => extent ?? 1) ?? []
  return { model, feeds: { [model.inputs[0] ?? '']: float32(new Float32Array(sizeOf(dims)).fill(0.5), dims) } }
}

/** A reference for the tap itself: what lies before it is the same in both passes. One of the first input where its rows are no rows. */
function referenceAt({ feeds, values }: Asked, tap: Tap, set: RuleSetInfo): Partial<RuleSet> {
  if (!set.needsReference) return {}
  const [input] = Object.entries(feeds)
  const [dims, rows] = [values[tap.id]?.dims ?? [], input?.[1].dims[0]]
  return { reference: dims[0] === rows || dims[0] === 1 ? { from: { [tap.id]: zeros(dims) } } : { feeds: Object.fromEntries(input ? [input] : []) } }
}

interface Asked extends Opened {
  /** Of every tap. */
  readonly values: Answer['values']
}

async function asked({ model, feeds }: Opened): Promise<Asked> {
  const { values } = await model.ask({ feeds, read: model.taps.map(({ id }) => id) })
  return { model, feeds, values }
}

/** The sentence with which a question for the gradient at a tap is refused; null where it is answered. */
async function refusalOf(opened: Asked, tap: Tap, set: RuleSetInfo): Promise<string | null> {
  const { model, feeds, values } = opened
  const logits = values[model.logits]
  const of = { [model.logits]: float32(new Float32Array(logits?.data.length ?? 0).fill(1), logits?.dims ?? []) }
  const rules: RuleSet = { id: set.id, ...referenceAt(opened, tap, set) }
  try {
    await model.ask({ feeds, read: [], gradient: { of, wrt: [tap.id], rules } })
    return null
  } catch (thrown) {
    if (thrown instanceof AppError && thrown.code === 'NOT_DIFFERENTIABLE') return thrown.message
    throw thrown
  }
}

const facts = (model: ExplainableModel): Promise<ModelFacts> =>
  factsOf(model, { title: 'Network', preprocessing: AS_IT_IS })
const bent = (rules: string): NeedsPlace => ({
  id: 'toy',
  title: 'Toy',
  modality: 'image',
  needs: [{ place: 'input', rules }],
})

const RULED = ['rescale', 'lrp']

describe.each([
  // Squeeze and excitation multiplies activations: LRP passes it from inside one factor, and from before both it does not.
  ['a CNN', () => onnx('mobilenet-v3'), 1, true],
  ['a transformer whose attention is one operator', () => onnx('bert'), 2, true],
  ['a vision transformer', () => onnx('vit'), 8, true],
  ['a Keras model', keras, 16, false],
] as const)('%s', (_what, open, every, refuses) => {
  test('facts and asking agree at its layers under every rule set', { timeout: 120_000 }, async () => {
    const opened = await asked(await open())
    const { model } = opened
    const { refusals } = await facts(model)
    const disagreeing: unknown[] = []
    for (const set of model.ruleSets)
      // Not at all of them everywhere: each question takes its time.
      for (const tap of model.taps.filter((_, place) => place % (RULED.includes(set.id) ? every : 16) === 0)) {
        const refused = refusals.find((one) => one.rules === set.id && one.taps.includes(tap.id))
        const said = refused === undefined ? null : whyRefused(refused.operators, [tap.id])
        const answered = await refusalOf(opened, tap, set)
        if (said !== answered) disagreeing.push({ rules: set.id, tap: tap.id, said, answered })
      }
    expect(disagreeing).toEqual([])
    expect(refusals.length > 0).toBe(refuses)
    await model.dispose()
  })
})

test('a method whose rules a model refuses is not available, in the sentence that asking has', async () => {
  const opened = await asked(await onnx('vit'))
  const { model } = opened
  const known = await facts(model)
  const [lrp] = model.ruleSets.filter(({ id }) => id === 'lrp')
  const [image] = model.taps
  if (lrp === undefined || image === undefined) throw new Error('the fixture has neither')
  const sentence = await refusalOf(opened, image, lrp)
  expect(sentence).toMatch(/^No gradient rule for .*Softmax \(LRP has no rule for it; at .*on the way from image/)
  expect(whyUnavailable(bent('lrp'), known)).toBe(sentence)
  expect(whyUnavailable(bent('rescale'), known)).toBeNull()
  // Behind the last attention there is a way.
  const layer = { ...bent('lrp'), needs: [{ place: 'token-grid', rules: 'lrp' }] } as const
  const usable = placeFor(layer, null, { ...known, taps: known.taps.map((tap) => ({ ...tap, grid: { rows: 4, columns: 4, leading: 1 } })) }) // prettier-ignore
  expect(known.refusals.some(({ taps }) => taps.includes(usable?.id ?? ''))).toBe(false)
  await model.dispose()
})
