/** Which files of a repository are a model: the ONNX graph, and what its card is made from. */
import { posix } from 'node:path'
import { AppError } from '../errors.ts'
import { didYouMean, listed } from '../suggest.ts'

/** Where exporters put the graph, best first: whole numbers before half, half before whole bytes. */
const USUAL = ['model', 'model_fp16', 'model_quantized', 'model_int8', 'model_uint8']
const FOLDERS = ['onnx', '']

/** What a card is made from and a text model needs, beside the graph or in the repository's root. */
export const COMPANIONS = [
  'config.json',
  'preprocessor_config.json',
  'tokenizer.json',
  'tokenizer_config.json',
  'special_tokens_map.json',
] as const

/**
 * @param paths every file of the repository
 * @param wanted the path that somebody named; null: the usual one
 * @throws AppError BAD_MODEL where there is none, or several and none is the usual one
 */
export function chooseOnnx(paths: readonly string[], wanted: string | null): string {
  const graphs = paths.filter((path) => path.endsWith('.onnx'))
  const refuse = (message: string): AppError => new AppError({ code: 'BAD_MODEL', message, details: { files: graphs } })
  if (wanted !== null) {
    if (paths.includes(wanted)) return wanted
    throw refuse(
      `There is no file ${wanted}.${didYouMean(wanted, graphs)}${graphs.length > 0 ? ` There is: ${listed(graphs)}.` : ''}`,
    )
  }
  for (const name of USUAL)
    for (const folder of FOLDERS) {
      const path = posix.join(folder, `${name}.onnx`)
      if (graphs.includes(path)) return path
    }
  const [only, ...others] = graphs
  if (only === undefined)
    throw refuse(
      'There is no ONNX file. Export one with "optimum-cli export onnx --model <name> <folder>" and import that folder, or look for the model in an onnx-community repository.',
    )
  if (others.length === 0) return only
  throw refuse(`There are several ONNX files, none with a usual name. Name one of them: ${listed(graphs)}.`)
}

/** For each companion that is there, its path: beside the graph before the root. */
export function companionsOf(onnx: string, paths: readonly string[]): Readonly<Record<string, string>> {
  const folder = posix.dirname(onnx)
  const found: Record<string, string> = {}
  for (const name of COMPANIONS) {
    const path = [posix.join(folder, name), name].find((one) => paths.includes(one))
    if (path !== undefined) found[name] = path
  }
  return found
}
