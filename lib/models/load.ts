/** Opens a catalogue entry: its network in the right engine, and its tokenizer when it reads text. */
import { AppError } from '../errors.ts'
import type { ExplainableModel, RandomWeights } from '../engine/model.ts'
import type { Tokenizer } from '../text/tokenizer.ts'
import { statedHead } from './card.ts'
import type { CatalogueEntry } from './catalogue.ts'
import { checkFit } from './fit.ts'
import { factsOf, type ModelFacts } from './facts.ts'

export interface LoadedModel {
  readonly entry: CatalogueEntry
  readonly model: ExplainableModel
  readonly facts: ModelFacts
  /** Null for image models. */
  readonly tokenizer: Tokenizer | null
}

export interface LoadOptions {
  /** Threads for one prediction; the engine's default when absent. */
  readonly threads?: number
  /** Its last layers with random weights in place of what they learnt; of an ONNX file alone. */
  readonly randomWeights?: RandomWeights
}

/** The network alone. @throws AppError BAD_MODEL; METHOD_UNAVAILABLE where it cannot be given random weights */
// Engines are imported when first needed: TensorFlow.js and ONNX Runtime disturb each other's thread pools, and each
// takes its time to load.
export async function openNetwork(entry: CatalogueEntry, options: LoadOptions): Promise<ExplainableModel> {
  const { defaultTap } = entry.card
  const head = statedHead(entry.card)
  if (entry.variant === 'onnx') {
    const { loadOnnxModel } = await import('../engine/onnx/model/load.ts')
    return loadOnnxModel(entry.file, { ...(defaultTap === '' ? {} : { defaultTap, head }), ...options, head })
  }
  if (options.randomWeights !== undefined)
    throw new AppError({
      code: 'METHOD_UNAVAILABLE',
      message: `${entry.card.title} cannot be given random weights: its engine has none to replace. An ONNX file of the model may help.`,
    })
  const { loadTfjsModel } = await import('../engine/tfjs/load.ts')
  return loadTfjsModel(entry.file, { defaultTap })
}

/** @throws AppError BAD_MODEL when the files are not what the card says. */
export async function loadModel(entry: CatalogueEntry, options: LoadOptions = {}): Promise<LoadedModel> {
  const model = await openNetwork(entry, options)
  try {
    checkFit(model, entry.card)
  } catch (misfit) {
    await model.dispose()
    throw misfit
  }
  const facts = await factsOf(model, entry.card)
  const { tokenizer } = entry.card.files
  if (tokenizer === undefined) return { entry, model, facts, tokenizer: null }
  const { loadTokenizer } = await import('../text/tokenizer.ts')
  return { entry, model, facts, tokenizer: await loadTokenizer(entry.folder, tokenizer) }
}
