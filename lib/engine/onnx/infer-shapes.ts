/**
 * Types and shapes of every tensor. ONNX Runtime infers them for a copy of the graph without its weights; where a shape
 * stays unknown (sizes computed in the graph), the model is run at two sizes and equal extents get one symbol.
 */
import { Tensor as RuntimeTensor } from 'onnxruntime-node'
import { sizeOf } from '../../tensor/tensor.ts'
import { badModel, DataType, type Dim, type Graph, type Shape, type ValueInfo } from './graph.ts'
import { createPlainSession, runOnce, typeCode } from './runtime.ts'
import { byteCount } from './stored.ts'

/** Weights above this many bytes are inputs of the copy: shape inference needs small integers, not matrices. */
const SMALL = 1024

/**
 * The same graph with `values` filled in.
 * @throws AppError BAD_MODEL where ONNX Runtime refuses the graph.
 */
export async function inferShapes(graph: Graph): Promise<Graph> {
  const inferred = await inferByRuntime(graph)
  const indices = new Set(graph.nodes.flatMap((node) => (node.operator === 'Gather' ? node.inputs.slice(1) : [])))
  const unknown = graph.nodes.some((node) =>
    node.outputs.some((name) => {
      const info = inferred.get(name)
      if (info === undefined || (info.type !== DataType.float && !indices.has(name))) return false
      return info.shape === null || info.shape.length === 0 || info.shape.includes(null)
    }),
  )
  if (!unknown) return { ...graph, values: inferred }
  const probed = await probe({ ...graph, values: inferred })
  return { ...graph, values: probed ?? inferred }
}

function everyOutput(graph: Graph): ValueInfo[] {
  return graph.nodes.flatMap((node) =>
    node.outputs.filter((name) => name !== '').map((name) => ({ name, type: 0, shape: null })),
  )
}

async function inferByRuntime(graph: Graph): Promise<Map<string, ValueInfo>> {
  const heavy = [...graph.constants].filter(([, constant]) => byteCount(constant) > SMALL)
  const weights = heavy.map(([name, { type, dims }]) => ({ name, type, shape: dims }))
  const heavyNames = new Set(heavy.map(([name]) => name))
  const copy = {
    ...graph,
    inputs: [...graph.inputs, ...weights],
    outputs: everyOutput(graph),
    constants: new Map([...graph.constants].filter(([name]) => !heavyNames.has(name))),
  }
  // The runtime says [] both for a scalar and for an unknown rank: a probe tells them apart where it matters.
  const values = new Map<string, ValueInfo>(graph.inputs.map((one) => [one.name, one]))
  const session = await createPlainSession(copy).catch((cause: unknown) => {
    throw badModel(`ONNX Runtime refuses it: ${cause instanceof Error ? cause.message : String(cause)}`, cause)
  })
  try {
    for (const info of session.outputMetadata) {
      if (!info.isTensor) continue
      const shape = info.shape.map((dim): Dim =>
        typeof dim === 'number' ? (dim < 0 ? null : dim) : dim === '' ? null : dim,
      )
      values.set(info.name, { name: info.name, type: typeCode(info.type), shape })
    }
  } finally {
    await session.release()
  }
  return values
}

/** Two sizes for each unknown extent: distinct primes, so that products and sums are told apart too. */
const BATCH = [2, 3] as const
const LENGTH = [7, 11] as const
const EXTENT = [64, 96] as const

/** Shapes seen in two runs; null where the model cannot be run on made-up inputs. */
async function probe(graph: Graph): Promise<Map<string, ValueInfo> | null> {
  // Extents of several float inputs may be equal in one run and widened from 1 in the next: those get no symbols.
  const symbols = graph.inputs
    .filter((info) => info.type === DataType.float)
    .flatMap((info) => (info.shape ?? []).map((dim, axis) => (dim === null ? `${info.name} ${axis}` : dim)))
    .filter((dim) => typeof dim === 'string')
  const floats = graph.inputs.filter((info) => info.type === DataType.float).length
  const trusted = floats < 2 || new Set(symbols).size < 2
  for (const fills of [[1, 0] as const, [0, 0] as const, [1, 1] as const])
    for (const extents of [EXTENT, [224, 288] as const])
      try {
        const first = await shapesAt(graph, 0, fills[0], extents)
        const second = await shapesAt(graph, 1, fills[1], extents)
        const values = new Map(graph.values)
        for (const [name, info] of graph.values) {
          const [one, two] = [first.get(name), second.get(name)]
          if (one === undefined || two === undefined) continue
          values.set(name, { ...info, shape: merge(info.shape, one, two, trusted) })
        }
        return values
      } catch {
        continue
      }
  return null
}

/** Equal in both runs: fixed. An extent of 0 comes from made-up values and says nothing. */
function merge(
  inferred: Shape | null,
  first: readonly number[],
  second: readonly number[],
  trusted: boolean,
): Shape | null {
  if (first.length !== second.length) return null
  if (inferred !== null && inferred.length !== first.length) inferred = null
  return first.map((dim, axis) => {
    const known = inferred?.[axis]
    if (typeof known === 'number') return known
    if (dim === second[axis] && dim !== 0) return dim
    return trusted && dim !== second[axis] ? `${dim}|${second[axis]}` : null
  })
}

async function shapesAt(
  graph: Graph,
  size: 0 | 1,
  fill: number,
  extents: readonly [number, number],
): Promise<Map<string, readonly number[]>> {
  const feeds: Record<string, RuntimeTensor> = {}
  const shapes = new Map<string, readonly number[]>()
  const symbols = new Map<string, number>()
  for (const info of graph.inputs) {
    const image = (info.shape?.length ?? 0) >= 3 && info.type === DataType.float
    const dims = (info.shape ?? []).map((dim, axis) => {
      if (typeof dim === 'number') return dim
      const value = axis === 0 ? BATCH[size] : image ? extents[size] : LENGTH[size]
      if (dim === null) return value
      const known = symbols.get(dim)
      if (known === undefined) symbols.set(dim, value)
      return known ?? value
    })
    feeds[info.name] = probeTensor(info, dims, fill)
    shapes.set(info.name, dims)
  }
  const results = await runOnce({ ...graph, outputs: everyOutput(graph) }, feeds)
  for (const [name, tensor] of results) shapes.set(name, tensor.dims)
  return shapes
}

function probeTensor(info: ValueInfo, dims: readonly number[], fill: number): RuntimeTensor {
  const count = sizeOf(dims)
  const value = /mask/i.test(info.name) ? 1 : /type|segment/i.test(info.name) ? 0 : fill
  switch (info.type) {
    case DataType.int64:
      return new RuntimeTensor('int64', new BigInt64Array(count).fill(BigInt(value)), dims)
    case DataType.int32:
      return new RuntimeTensor('int32', new Int32Array(count).fill(value), dims)
    case DataType.bool:
      return new RuntimeTensor('bool', new Uint8Array(count).fill(1), dims)
    default:
      return new RuntimeTensor('float32', new Float32Array(count).fill(0.5), dims)
  }
}
