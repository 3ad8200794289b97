/** Opens a catalogue entry: its network in the right engine, and its tokenizer when it reads text. */
import type { ExplainableModel } from '../engine/model.ts'
import type { Tokenizer } from '../text/tokenizer.ts'
import type { CatalogueEntry } from './catalogue.ts'

export interface LoadedModel {
  readonly entry: CatalogueEntry
  readonly model: ExplainableModel
  /** Null for image models. */
  readonly tokenizer: Tokenizer | null
}

export interface LoadOptions {
  /** Threads for one prediction; the engine's default when absent. */
  readonly threads?: number
}

// Engines are imported when first needed: TensorFlow.js and ONNX Runtime disturb each other's thread pools, and each
// takes its time to load.
async function openNetwork(entry: CatalogueEntry, options: LoadOptions): Promise<ExplainableModel> {
  const { defaultTap } = entry.card
  if (entry.variant === 'onnx') {
    const { loadOnnxModel } = await import('../engine/onnx/load.ts')
    return loadOnnxModel(entry.file, { ...(defaultTap === '' ? {} : { defaultTap }), ...options })
  }
  const { loadTfjsModel } = await import('../engine/tfjs/load.ts')
  return loadTfjsModel(entry.file, { defaultTap })
}

/** @throws AppError BAD_MODEL when the files are not what the card says. */
export async function loadModel(entry: CatalogueEntry, options: LoadOptions = {}): Promise<LoadedModel> {
  const model = await openNetwork(entry, options)
  const { tokenizer } = entry.card.files
  if (tokenizer === undefined) return { entry, model, tokenizer: null }
  const { loadTokenizer } = await import('../text/tokenizer.ts')
  return { entry, model, tokenizer: await loadTokenizer(entry.folder, tokenizer) }
}
