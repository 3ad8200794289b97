/** ONNX file -> graph. Everything that can be wrong with a file is found here and becomes BAD_MODEL. */
import { realpath, stat } from 'node:fs/promises'
import path from 'node:path'
import { fromBinary } from '@bufbuild/protobuf'
import { AppError } from '../../../errors.ts'
import { badModel, type Graph } from '../graph/graph.ts'
import { StoredFile } from '../graph/stored.ts'
import { externalDataIn, type ExternalData } from './external-data.ts'
import { inlineFunctions } from './inline.ts'
import { normalDomain } from './normal-domain.ts'
import { ModelProtoSchema, type GraphProto, type ModelProto } from './proto/onnx_pb.ts'
import { readGraph } from './read-graph.ts'
import type { Outside } from './read-tensor.ts'
import { skimModel } from './skim-model.ts'

/** More operators than any real model has: a question triples them, and takes ten seconds or a minute to prepare then. */
const MOST_OPERATORS = 30_000

/**
 * Reads an ONNX file. Its large weights, and those in data files beside it, stay where they are until they are needed.
 * @throws AppError BAD_MODEL for anything that is not a whole, well-formed model; UNKNOWN_MODEL when there is no file.
 */
export async function readModelFile(file: string): Promise<Graph> {
  const real = await realpath(file).catch(() => null)
  if (real === null || !(await stat(real)).isFile())
    throw new AppError({ code: 'UNKNOWN_MODEL', message: `No ONNX model at ${path.basename(file)}.` })
  const folder = path.dirname(real)
  const own = new StoredFile(folder, real)
  const { model, places } = skimModel(real)
  return readModelProto(model, {
    external: externalDataIn(folder),
    places: new Map([...places].map(([tensor, range]) => [tensor, { file: own, ...range }])),
  })
}

/**
 * Parses ONNX bytes.
 * @throws AppError BAD_MODEL
 */
export async function readModel(bytes: Uint8Array, external?: ExternalData): Promise<Graph> {
  let model: ModelProto
  try {
    model = fromBinary(ModelProtoSchema, bytes)
  } catch (cause) {
    throw badModel('The file is not an ONNX model, or it is cut short.', cause)
  }
  return readModelProto(model, external === undefined ? {} : { external })
}

async function readModelProto(file: ModelProto, outside: Outside): Promise<Graph> {
  const model = inlineFunctions(file)
  if (model.graph === undefined || model.graph.node.length === 0) throw badModel('The file holds no graph.')
  const opsets = new Map(model.opsetImport.map((one) => [normalDomain(one.domain), Number(one.version)]))
  const version = opsets.get('')
  if (version === undefined) throw badModel('The file does not say which operator set it uses.')
  refuseLoops(model.graph)
  const operators = model.graph.node.filter((node) => node.opType !== 'Constant').length
  if (operators > MOST_OPERATORS)
    throw badModel(
      `It has ${operators.toLocaleString('en')} operators, and at most ${MOST_OPERATORS.toLocaleString('en')} are allowed. Simplify the model (onnxsim), or export one without unrolled loops.`,
    )
  if (version < 7) throw badModel(`Operator set ${version} is too old. Re-export the model with opset 11 or newer.`)
  return readGraph(model.graph, opsets, Number(model.irVersion), outside)
}

/** Subgraphs inside one another: more than any exporter writes. */
const DEEPEST = 50

/** A loop may run for ever, and nothing can look in on it: such a model would take its worker with it. */
function refuseLoops(graph: GraphProto, depth = 0): void {
  if (depth > DEEPEST) throw badModel(`Its subgraphs are nested more than ${DEEPEST} deep.`)
  for (const node of graph.node) {
    if (node.opType === 'Loop' && normalDomain(node.domain) === '')
      throw badModel(
        `It holds a Loop${node.name === '' ? '' : ` ("${node.name}")`}. Export the model without control flow: with a fixed number of layers, and without generating text.`,
      )
    for (const { g, graphs } of node.attribute)
      for (const inner of g ? [g, ...graphs] : graphs) refuseLoops(inner, depth + 1)
  }
}
