/** Reads a LayersModel from disk: model.json and the weight files its manifest names, every byte accounted for. */
import { readFile, realpath, stat } from 'node:fs/promises'
import { dirname, resolve, sep } from 'node:path'
import type { io } from '@tensorflow/tfjs'
import { z } from 'zod'
import { AppError } from '../../errors.ts'
import { sizeOf } from '../../tensor/tensor.ts'

/** More than any topology needs; weights are in files of their own. */
const MAX_TOPOLOGY_BYTES = 64 * 1024 * 1024

const BYTES: Readonly<Record<string, number>> = { float32: 4, int32: 4, bool: 1, uint8: 1, uint16: 2, float16: 2 }

const weightSpec = z.object({
  name: z.string(),
  shape: z.array(z.int().nonnegative()),
  dtype: z.enum(['float32', 'int32', 'bool']),
  quantization: z
    .object({
      dtype: z.enum(['uint8', 'uint16', 'float16']),
      scale: z.number().optional(),
      min: z.number().optional(),
    })
    .optional(),
})
const modelJson = z.object({
  format: z.string().optional(),
  modelTopology: z.record(z.string(), z.unknown()),
  weightsManifest: z.array(z.object({ paths: z.array(z.string()).min(1), weights: z.array(weightSpec) })),
})

function badModel(path: string, found: string, advice: string, cause?: unknown): AppError {
  return new AppError({
    code: 'BAD_MODEL',
    message: `${path}: ${found}`,
    userMessage: `The TensorFlow.js model cannot be read: ${found}. ${advice}`,
    cause,
  })
}

const COPY_AGAIN = 'Copy the whole folder of the export again: model.json and every weight file beside it.'

/** What a model.json says: the layers, and which bytes of which files are their weights. */
export type ModelJson = z.infer<typeof modelJson>

function parse(path: string, text: string): ModelJson {
  let json: unknown
  try {
    json = JSON.parse(text)
  } catch (cause) {
    throw badModel(path, 'model.json is not JSON', COPY_AGAIN, cause)
  }
  if (typeof json === 'object' && json !== null && 'format' in json && json.format === 'graph-model')
    throw badModel(
      path,
      'it is a TensorFlow.js GraphModel, which carries no gradients',
      'Export the Keras model as a LayersModel, or convert the model to ONNX.',
    )
  const checked = modelJson.safeParse(json)
  if (checked.success) return checked.data
  const issue = checked.error.issues[0]
  const where = issue?.path.join('.') ?? ''
  throw badModel(
    path,
    `model.json is not a LayersModel (${where === '' ? 'top level' : where}: ${issue?.message ?? 'malformed'})`,
    'Export it with model.save() of TensorFlow.js, or with tensorflowjs_converter --output_format=tfjs_layers_model.',
    checked.error,
  )
}

async function readShard(path: string, folder: string, name: string): Promise<Uint8Array> {
  let real: string
  try {
    real = await realpath(resolve(folder, name))
  } catch (cause) {
    throw badModel(path, `the weight file ${name} is missing`, COPY_AGAIN, cause)
  }
  if (!real.startsWith(folder.endsWith(sep) ? folder : folder + sep))
    throw badModel(path, `the weight file ${name} lies outside the model's folder`, 'Put it beside model.json.')
  try {
    return await readFile(real)
  } catch (cause) {
    throw badModel(path, `the weight file ${name} cannot be read`, COPY_AGAIN, cause)
  }
}

/**
 * Reads and checks a model.json, without its weights.
 * @throws AppError BAD_MODEL when it is missing, malformed or no LayersModel.
 */
export async function readModelJson(path: string): Promise<ModelJson> {
  let text: string
  try {
    const { size } = await stat(path)
    if (size > MAX_TOPOLOGY_BYTES)
      throw badModel(path, `model.json has ${size} bytes`, `At most ${MAX_TOPOLOGY_BYTES} are read.`)
    text = await readFile(path, 'utf8')
  } catch (thrown) {
    if (thrown instanceof AppError) throw thrown
    throw badModel(path, 'there is no readable model.json', COPY_AGAIN, thrown)
  }
  return parse(path, text)
}

/** @throws AppError BAD_MODEL when a group's files do not have the bytes its weights need. */
export function checkGroupSize(path: string, group: ModelJson['weightsManifest'][number], found: number): void {
  const { paths, weights } = group
  const expected = weights.reduce(
    (sum, { shape, dtype, quantization }) => sum + sizeOf(shape) * (BYTES[quantization?.dtype ?? dtype] ?? 0),
    0,
  )
  if (found === expected) return
  throw badModel(
    path,
    `${paths.join(', ')} ${paths.length === 1 ? 'has' : 'have'} ${found} bytes where its manifest needs ${expected}`,
    found < expected ? `The file is truncated. ${COPY_AGAIN}` : COPY_AGAIN,
  )
}

/**
 * Reads and checks everything that `tf.loadLayersModel` needs; float16, uint8 and uint16 quantised weights included.
 * @param path the model.json.
 * @throws AppError BAD_MODEL when a file is missing, truncated, too long, or outside the model's folder.
 */
export async function readArtifacts(path: string): Promise<io.ModelArtifacts> {
  const { modelTopology, weightsManifest } = await readModelJson(path)
  const folder = await realpath(dirname(path))
  const weightSpecs: io.WeightsManifestEntry[] = []
  const shards: Uint8Array[] = []
  for (const group of weightsManifest) {
    let found = 0
    for (const name of group.paths) {
      const bytes = await readShard(path, folder, name)
      found += bytes.length
      shards.push(bytes)
    }
    checkGroupSize(path, group, found)
    weightSpecs.push(...(group.weights as io.WeightsManifestEntry[]))
  }
  // One buffer: TensorFlow.js 4.22 loses its way in several of which the last is the longest.
  return { modelTopology, weightSpecs, weightData: joined(shards) }
}

function joined(shards: readonly Uint8Array[]): ArrayBuffer {
  const buffer = new ArrayBuffer(shards.reduce((size, { length }) => size + length, 0))
  let offset = 0
  for (const shard of shards) {
    new Uint8Array(buffer, offset, shard.length).set(shard)
    offset += shard.length
  }
  return buffer
}
