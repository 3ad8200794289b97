/** The tiny text classifiers of bench/conformance/texts.py, what was computed on them, and contexts to ask them in. */
import { fileURLToPath } from 'node:url'
import type { ExplainableModel } from '../../lib/engine/model.ts'
import type { Refusal } from '../../lib/engine/refusal.ts'
import { loadOnnxModel } from '../../lib/engine/onnx/model/load.ts'
import type { TextContext } from '../../lib/methods/context.ts'
import type { TextMethod, TextResult } from '../../lib/methods/method.ts'
import { headOf, textContext, type Asked, type RunParts } from '../../lib/prepare.ts'
import { classTarget } from '../../lib/target/target.ts'
import goldens from '../fixtures/conformance/texts/goldens.json' with { type: 'json' }

export { goldens }
/** `bert` has fused normalisations and activations, `bert-spelled` the same as plain operators; `mean` pools over tokens. */
export type Tiny = 'bert' | 'bert-spelled' | 'mean' | 'bias-free' | 'mlp'

const TINY_VOCABULARY = { size: 60, pad: 0, mask: 4, unknown: 1 }
const [CLS, SEP] = [2, 3]

export function loadTiny(name: Tiny): Promise<ExplainableModel> {
  return loadOnnxModel(fileURLToPath(new URL(`../fixtures/conformance/texts/${name}.onnx`, import.meta.url)), {
    threads: 1,
  })
}

export interface TinyChanges extends Partial<Omit<RunParts, 'target'>> {
  readonly ids?: readonly number[]
  /** A class; null for the predicted one. Left out: that of the goldens. */
  readonly target?: number | null
  readonly of: Asked['of']
  /** Of another network than these. */
  readonly classes?: number
  /** What its rule sets refuse, where the test is about that. */
  readonly refusals?: readonly Refusal[]
}

export function tinyContext(
  model: ExplainableModel,
  { ids = goldens.ids, target = goldens.target, of, classes = 3, refusals = [], ...parts }: TinyChanges,
): TextContext {
  const facts = {
    title: 'a tiny transformer',
    modality: 'text',
    taps: model.taps,
    defaultTap: model.defaultTap,
    link: 'softmax',
    linearHeads: [],
    ruleSets: model.ruleSets.map(({ id }) => id),
    refusals,
  } as const
  const head = headOf(model, classes)
  const encoded = {
    ids,
    special: ids.map((id) => id === CLS || id === SEP),
    tokens: ids.map((_, index) => ({ text: 'x', start: 2 * index, end: 2 * index + 1 })),
  }
  return textContext(
    { model, facts, head },
    'x '.repeat(ids.length),
    encoded,
    TINY_VOCABULARY,
    { of, params: {} },
    {
      target: classTarget(target),
      seed: 0,
      signal: new AbortController().signal,
      progress: () => undefined,
      ...parts,
    },
  )
}

/** What a method answers on one of them, for the ids and the class of the goldens. */
export async function onTiny(method: TextMethod, name: Tiny, params: object = {}): Promise<TextResult> {
  const model = await loadTiny(name)
  try {
    return await method.run(tinyContext(model, { of: method }), method.params.parse(params))
  } finally {
    await model.dispose()
  }
}
