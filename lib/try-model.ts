/** A first try of a model: does it answer, does a gradient come back, does what it answers depend on what it is given. */
import { AppError } from './errors.ts'
import { explain } from './explain.ts'
import type { Method } from './methods/method.ts'
import { whyUnavailable } from './methods/place.ts'
import type { ExplainInput } from './prepare.ts'
import { classTarget } from './target/target.ts'
import type { LoadedModel } from './models/load.ts'

export interface ModelTrial {
  /** What is not as it should be, a sentence each; empty where all is well. */
  readonly problems: readonly string[]
  /** The model's inputs with their shapes, for people: `pixel_values [1 × 3 × 224 × 224]`. */
  readonly inputs: readonly string[]
  /** Scores that it answers. */
  readonly classes: number
  /** The method that was tried; null where none can be asked. */
  readonly tried: string | null
}

const TEXTS = [
  'The film was a wonderful surprise, warm and funny.',
  'Nothing in this dull story made any sense.',
] as const
const SIDE = 96

/** A picture with a structure: bands of colours, along one axis or the other. */
function picture(across: boolean): ExplainInput {
  const rgb = new Uint8Array(SIDE * SIDE * 3)
  for (let y = 0; y < SIDE; y++)
    for (let x = 0; x < SIDE; x++) {
      const at = (y * SIDE + x) * 3
      const along = across ? x : y
      rgb[at] = (along * 5) % 256
      rgb[at + 1] = across ? 230 - ((x + y) % 128) : (x * y) % 256
      rgb[at + 2] = (along * along) % 251
    }
  const sides = { originalWidth: SIDE, originalHeight: SIDE, width: SIDE, height: SIDE }
  return { kind: 'image', image: { sha256: '', format: 'png', ...sides, rgb, diagnoses: [] } }
}

function inputsOf({ model }: LoadedModel): string[] {
  return model.inputs.map((name) => {
    const shape = model.taps.find(({ id }) => id === name)?.shape
    return shape === undefined ? name : `${name} [${shape.map((extent) => extent ?? '?').join(' × ')}]`
  })
}

/** The cheapest kind of gradient first: at a late layer or at the embedding, once. */
function methodFor({ facts }: LoadedModel, methods: readonly Method[]): Method | null {
  const usable = methods.filter((method) => whyUnavailable(method, facts) === null)
  return usable.find((method) => method.reading !== undefined) ?? usable[0] ?? null
}

/** @throws AppError CANCELLED; everything else is a problem that is told */
export async function tryModel(
  loaded: LoadedModel,
  methods: readonly Method[],
  hooks: { readonly signal: AbortSignal; readonly progress: (fraction: number) => void; readonly now: () => number },
): Promise<ModelTrial> {
  const { card } = loaded.entry
  const method = methodFor(loaded, methods)
  const shown = { inputs: inputsOf(loaded), classes: card.labels.length, tried: method?.title ?? null }
  if (method === null) {
    const reasons = methods.map((one) => whyUnavailable(one, loaded.facts)).filter((reason) => reason !== null)
    return { ...shown, problems: [`No method can explain it. ${reasons.at(-1) ?? ''}`.trim()] }
  }
  const inputs: readonly ExplainInput[] =
    card.preprocessing.kind === 'image'
      ? [picture(true), picture(false)]
      : TEXTS.map((text) => ({ kind: 'text', text }))
  const request = { method, params: {}, target: classTarget(null), seed: 0 }
  const logits: number[][] = []
  let gradient = 0
  try {
    for (const input of inputs) {
      const { predictions, attribution } = await explain(loaded, input, request, hooks)
      logits.push([...predictions].sort((a, b) => a.index - b.index).map(({ logit }) => logit))
      const scores =
        attribution.kind === 'image' ? [...attribution.map.data] : attribution.tokens.map(({ score }) => score)
      gradient = Math.max(gradient, ...scores.map(Math.abs))
    }
  } catch (thrown) {
    const error = AppError.from(thrown)
    if (error.code === 'CANCELLED') throw error
    return { ...shown, problems: [error.userMessage] }
  }
  const problems: string[] = []
  const [first = [], second = []] = logits
  if (logits.flat().some((value) => !Number.isFinite(value))) problems.push('Its scores are not finite numbers.')
  else if (first.every((value, index) => value === second[index]))
    problems.push('It answers the same for two different inputs. Are the weights those of the trained model?')
  if (gradient === 0)
    problems.push(`${method.title} is 0 everywhere: no gradient comes back to the layer it is asked at.`)
  return { ...shown, problems }
}
