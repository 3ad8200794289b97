/** Loads a TensorFlow.js LayersModel (Keras, Teachable Machine) as a model that can be asked. */
import * as tf from '@tensorflow/tfjs'
import { AppError } from '../../errors.ts'
import type { StatedHead } from '../head.ts'
import type { ExplainableModel } from '../model.ts'
import type { TapId } from '../tap-id.ts'
import { tfjsBackend } from './backend.ts'
import { TfjsModel } from './model.ts'
import { compile } from './program.ts'
import { readArtifacts } from './read-artifacts.ts'

export interface TfjsOptions {
  /** '' or absent: the last spatial map. */
  readonly defaultTap?: TapId | undefined
  /** What the model's card says of its head; left out, the first output is taken. */
  readonly head?: StatedHead
  /** Receives one line: which backend runs, and why each faster one does not. */
  readonly log?: (line: string) => void
}

/** Where a message of TensorFlow.js goes over into what may be the reason, for its own developers. */
const GUESSES = / This may be due to |\n/

/** TensorFlow.js 4.22 reads what Keras 2 writes. */
function advice(topology: unknown): string {
  const version =
    typeof topology === 'object' && topology !== null && 'keras_version' in topology ? topology.keras_version : ''
  if (!String(version).startsWith('3')) return ''
  return ' The file was written by Keras 3. Export it again with Keras 2 (pip install tf_keras, TF_USE_LEGACY_KERAS=1), or to ONNX.'
}

/**
 * Loads a model.json with its weights.
 * @throws AppError BAD_MODEL when files are missing, truncated or malformed, a layer is unknown, or it is no classifier;
 *   UNKNOWN_LAYER when the default tap is not one of its taps.
 */
export async function loadTfjsModel(path: string, options: TfjsOptions = {}): Promise<ExplainableModel> {
  const [engine, artifacts] = await Promise.all([tfjsBackend(options.log), readArtifacts(path)])
  let model: tf.LayersModel
  try {
    model = await tf.loadLayersModel({ load: () => Promise.resolve(artifacts) })
  } catch (cause) {
    const [found = ''] = (cause instanceof Error ? cause.message : String(cause)).split(GUESSES)
    throw new AppError({
      code: 'BAD_MODEL',
      message: `${path}: ${found}`,
      userMessage: `TensorFlow.js cannot build this model: ${found.slice(0, 300)}${advice(artifacts.modelTopology)}`,
      cause,
    })
  }
  try {
    return new TfjsModel(engine, model, compile(model, options.head), options.defaultTap ?? '')
  } catch (thrown) {
    model.dispose()
    if (thrown instanceof AppError) throw thrown
    const found = thrown instanceof Error ? thrown.message : String(thrown)
    throw new AppError({
      code: 'BAD_MODEL',
      message: `${path}: ${found}`,
      userMessage: `This model's graph of layers cannot be followed: ${found}`,
      cause: thrown,
    })
  }
}
