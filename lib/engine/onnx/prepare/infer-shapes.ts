/**
 * Types and shapes of every tensor. ONNX Runtime infers them for a copy of the graph without its weights; where a shape
 * stays unknown (sizes computed in the graph), the model is run at two sizes and equal extents get one symbol.
 */
import { Tensor as RuntimeTensor, type InferenceSession } from 'onnxruntime-node'
import { AppError } from '../../../errors.ts'
import { sizeOf } from '../../../tensor/tensor.ts'
import { effortOf } from './effort.ts'
import { SMALL } from './evaluate.ts'
import { badModel, DataType, describeNode, type Dim, type Graph, type Shape, type ValueInfo } from '../graph/graph.ts'
import { guardSizes, stoppedByGuard } from './guard.ts'
import { inWords, MOST_BYTES, refuseExcess } from './limits.ts'
import { operatorOf } from '../operators/operator-of.ts'
import { createPlainSession, typeCode } from '../run/runtime.ts'
import { byteCount } from '../graph/stored.ts'

/**
 * The same graph with `values` filled in.
 * @throws AppError BAD_MODEL where ONNX Runtime refuses the graph, or where one run would take absurdly much.
 */
export async function inferShapes(graph: Graph): Promise<Graph> {
  const inferred = await inferByRuntime(graph)
  refuseExcess({ ...graph, values: inferred })
  const indices = new Set(graph.nodes.flatMap((node) => node.inputs.slice(operatorOf(node).places ?? Infinity)))
  const unknown = graph.nodes.some((node) =>
    node.outputs.some((name) => {
      const info = inferred.get(name)
      if (info === undefined || (info.type !== DataType.float && !indices.has(name))) return false
      return info.shape === null || info.shape.length === 0 || info.shape.includes(null)
    }),
  )
  if (!unknown) return { ...graph, values: inferred }
  const values = (await probe({ ...graph, values: inferred })) ?? inferred
  refuseExcess({ ...graph, values })
  return { ...graph, values }
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
  const session = await createPlainSession(copy).catch((cause: unknown) => {
    const words = cause instanceof Error ? cause.message : String(cause)
    // It names no node then.
    const hint = /Invalid dimension: -/.test(words)
      ? ' A tensor would have a negative extent: a window is larger than its padded input, or sizes are beyond all bounds.'
      : ''
    throw badModel(`ONNX Runtime refuses it: ${words}${hint}`, cause)
  })
  try {
    return valuesOf(session, graph)
  } finally {
    await session.release()
  }
}

/** The runtime says [] both for a scalar and for an unknown rank: a probe tells them apart where it matters. */
function valuesOf(session: InferenceSession, graph: Graph): Map<string, ValueInfo> {
  const values = new Map<string, ValueInfo>(graph.inputs.map((one) => [one.name, one]))
  for (const info of session.outputMetadata) {
    if (!info.isTensor) continue
    const shape = info.shape.map((dim): Dim =>
      typeof dim === 'number' ? (dim < 0 ? null : dim) : dim === '' ? null : dim,
    )
    values.set(info.name, { name: info.name, type: typeCode(info.type), shape })
  }
  return values
}

/**
 * Two sizes for each unknown extent: distinct primes, so that products and sums are told apart too. A third, smaller one tells
 * what is fixed from what is only bounded ("the first five"), and a picture's height from its width; a model need not run at it.
 */
const BATCH = [2, 3, 2] as const
const LENGTH = [7, 11, 3] as const
const EXTENT = [64, 96, 48] as const
const LARGE_EXTENT = [224, 288, 160] as const
type Extents = readonly [number, number, number]
const PROBE_SECONDS = 60
/** No model computes the size of so large a tensor from an input as small as that of a probe. */
const COMPUTED_BYTES = 2 ** 30

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
    for (const extents of [EXTENT, LARGE_EXTENT])
      try {
        const seen = [
          await shapesAt(graph, 0, fills[0], extents),
          await shapesAt(graph, 1, fills[1], extents),
          ...(await furtherShapes(graph, fills[0], extents)),
        ]
        const values = new Map(graph.values)
        for (const [name, info] of graph.values) {
          const shapes = seen.map((shapesOf) => shapesOf.get(name))
          if (shapes.every((shape) => shape !== undefined))
            values.set(name, { ...info, shape: merge(info.shape, shapes, trusted) })
        }
        return values
      } catch (thrown) {
        if (thrown instanceof AppError) throw thrown
        continue
      }
  return null
}

/**
 * What else a model may be asked with: smaller extents, and one row of an input beside several of the first one (position ids
 * of one row serve every text). Extents that move apart in any of these get different symbols. What it refuses is left out.
 */
async function furtherShapes(
  graph: Graph,
  fill: number,
  extents: Extents,
): Promise<readonly ReadonlyMap<string, readonly number[]>[]> {
  const open = graph.inputs.filter(({ shape }) => shape !== null && shape.length > 0 && typeof shape[0] !== 'number')
  const seen: ReadonlyMap<string, readonly number[]>[] = []
  for (const [size, single] of [[2, null] as const, ...open.slice(1).map(({ name }) => [0, name] as const)])
    try {
      seen.push(await shapesAt(graph, size, fill, extents, single))
    } catch (thrown) {
      if (thrown instanceof AppError) throw thrown
    }
  return seen
}

/** Equal in all runs: fixed. An extent of 0 comes from made-up values and says nothing. */
function merge(inferred: Shape | null, seen: readonly (readonly number[])[], trusted: boolean): Shape | null {
  const [first = [], ...others] = seen
  if (others.some((shape) => shape.length !== first.length)) return null
  if (inferred !== null && inferred.length !== first.length) inferred = null
  return first.map((dim, axis) => {
    const known = inferred?.[axis]
    if (typeof known === 'number') return known
    const differs = others.some((shape) => shape[axis] !== dim)
    if (!differs && dim !== 0) return dim
    return trusted && differs ? seen.map((shape) => shape[axis]).join('|') : null
  })
}

/** @param single an input that gets one row. */
async function shapesAt(
  graph: Graph,
  size: 0 | 1 | 2,
  fill: number,
  extents: Extents,
  single: string | null = null,
): Promise<Map<string, readonly number[]>> {
  const feeds = new Map<string, RuntimeTensor>()
  const shapes = new Map<string, readonly number[]>()
  const symbols = new Map<string, number>()
  for (const info of graph.inputs) {
    const image = (info.shape?.length ?? 0) >= 3 && info.type === DataType.float
    const dims = (info.shape ?? []).map((dim, axis) => {
      if (typeof dim === 'number') return dim
      if (axis === 0 && info.name === single) return 1
      const wider = size === 2 && axis === 3 ? 32 : 0
      const value = axis === 0 ? BATCH[size] : image ? extents[size] + wider : LENGTH[size]
      if (dim === null) return value
      const known = symbols.get(dim)
      if (known === undefined) symbols.set(dim, value)
      return known ?? value
    })
    feeds.set(info.name, probeTensor(info, dims, fill))
    shapes.set(info.name, dims)
  }
  const at = guardSizes(withExtents(graph, shapes), COMPUTED_BYTES / 4)
  const session = await createPlainSession({ ...at, outputs: everyOutput(graph) })
  try {
    checkProbe({ ...graph, values: valuesOf(session, graph) }, extents === EXTENT)
    const results = await session.run(Object.fromEntries(feeds))
    for (const [name, tensor] of Object.entries(results)) shapes.set(name, tensor.dims)
    return shapes
  } catch (thrown) {
    if (extents !== EXTENT || !stoppedByGuard(thrown)) throw thrown
    throw badModel(
      `From a small input it computes the size of a tensor of more than ${inWords(COMPUTED_BYTES)}. The file is damaged.`,
      thrown,
    )
  } finally {
    await session.release()
  }
}

function withExtents(graph: Graph, shapes: ReadonlyMap<string, readonly number[]>): Graph {
  return { ...graph, inputs: graph.inputs.map((info) => ({ ...info, shape: shapes.get(info.name) ?? info.shape })) }
}

/** @throws AppError BAD_MODEL where a small input is enough for absurd sizes; Error where the probe alone takes too much. */
function checkProbe(graph: Graph, small: boolean): void {
  let [bytes, seconds] = [0, 0]
  for (const node of graph.nodes) {
    const effort = effortOf(graph, node)
    if (small && effort.bytes > MOST_BYTES)
      throw badModel(
        `${describeNode(node)} makes ${inWords(effort.bytes)} of a small input, and at most ${inWords(MOST_BYTES)} are allowed. The file is damaged.`,
      )
    bytes += effort.bytes
    seconds += effort.seconds
  }
  // Every output is held: what is known of the shapes without a run has to do.
  if (bytes > MOST_BYTES || seconds > PROBE_SECONDS) throw new Error('The probe takes too much.')
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
