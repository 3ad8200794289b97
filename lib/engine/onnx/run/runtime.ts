/** ONNX Runtime behind a few functions: element types, feeds, one-off runs. */
import { InferenceSession, Tensor as RuntimeTensor } from 'onnxruntime-node'
import type { FloatTensor, Tensor } from '../../../tensor/tensor.ts'
import { floatsOf } from '../graph/constant.ts'
import { DataType, type Constant, type Graph } from '../graph/graph.ts'
import { inEagerOrder } from './eager-order.ts'
import { folderOf } from '../graph/stored.ts'
import { writeModel } from '../file/write-model.ts'

type RuntimeType = RuntimeTensor.Type

const TYPE_NAMES: Readonly<Record<number, RuntimeType>> = {
  [DataType.float]: 'float32',
  [DataType.uint8]: 'uint8',
  [DataType.int8]: 'int8',
  [DataType.uint16]: 'uint16',
  [DataType.int16]: 'int16',
  [DataType.int32]: 'int32',
  [DataType.int64]: 'int64',
  [DataType.bool]: 'bool',
  [DataType.float16]: 'float16',
  [DataType.double]: 'float64',
  [DataType.uint32]: 'uint32',
  [DataType.uint64]: 'uint64',
}
const TYPE_CODES: ReadonlyMap<string, number> = new Map(
  Object.entries(TYPE_NAMES).map(([code, name]) => [name, Number(code)]),
)

/** Runtime type name -> ONNX data type; 0 where unknown. */
export function typeCode(name: string): number {
  return TYPE_CODES.get(name) ?? 0
}
export function typeName(code: number): string {
  return TYPE_NAMES[code] ?? `type ${code}`
}

export function toRuntime(tensor: Tensor): RuntimeTensor {
  return new RuntimeTensor(tensor.type, tensor.data, tensor.dims)
}

/** A result as float32, halves and doubles widened or narrowed. */
export function toFloat(result: RuntimeTensor): FloatTensor {
  const { data } = result
  if (data instanceof Float32Array) return { type: 'float32', dims: result.dims, data }
  return { type: 'float32', dims: result.dims, data: floatsOf(toConstant(result)) }
}

export function toConstant(result: RuntimeTensor): Constant {
  const view = result.data as ArrayBufferView
  return {
    type: typeCode(result.type),
    dims: result.dims,
    bytes: new Uint8Array(view.buffer, view.byteOffset, view.byteLength),
  }
}

export interface SessionSettings {
  /** 0: ONNX Runtime's own choice. */
  readonly threads: number
}

// What follows is spelt as in ONNX Runtime's configuration keys, which begin with "session.".

/**
 * Every session has threads of its own, which by default look for more work for tens of milliseconds after a run. A method's
 * next question is often another session's, and would find the processors taken: a loop of nine questions took twice as
 * long. A millisecond is enough for the next operator, and for the same question on the next input.
 */
const SPINNING = { intra_op: { spin_duration_us: '1000' } }

/**
 * Where the runtime (1.30) fuses quantised operands with their operator, results are off: a logit of 0.31, as both the same
 * graph without optimisation and the float network have it, came out as 0.19. What it fuses differs from question to question
 * besides. Unfused, every question is answered with the same values, those of the model as it is written.
 */
const UNFUSED = { disable_quant_qdq: '1' }

/** A session for a graph that is run many times. */
export function createSession(graph: Graph, settings: SessionSettings): Promise<InferenceSession> {
  return InferenceSession.create(writeModel(inEagerOrder(graph), 'referenced'), {
    extra: { session: { ...weightsOf(graph), ...SPINNING, ...UNFUSED } },
    executionProviders: ['cpu'],
    intraOpNumThreads: settings.threads,
    interOpNumThreads: 1,
    executionMode: 'sequential',
    graphOptimizationLevel: 'all',
    logSeverityLevel: 3,
  })
}

/** Says in which folder the files lie that hold weights of the graph. */
function weightsOf(graph: Graph): Readonly<Record<string, string>> {
  const folder = folderOf(graph.constants.values())
  return folder === null ? {} : { model_external_initializers_file_folder_path: folder }
}

/** A session without optimisation, for looking into a graph or running it once. */
export function createPlainSession(graph: Graph): Promise<InferenceSession> {
  return InferenceSession.create(writeModel(graph, 'referenced'), {
    extra: { session: weightsOf(graph) },
    executionProviders: ['cpu'],
    intraOpNumThreads: 1,
    interOpNumThreads: 1,
    executionMode: 'sequential',
    graphOptimizationLevel: 'disabled',
    logSeverityLevel: 4,
  })
}

/** Runs a graph once and gives its outputs. */
export async function runOnce(
  graph: Graph,
  feeds: Readonly<Record<string, RuntimeTensor>>,
): Promise<ReadonlyMap<string, RuntimeTensor>> {
  const session = await createPlainSession(graph)
  try {
    const results = await session.run(feeds)
    return new Map<string, RuntimeTensor>(Object.entries(results))
  } finally {
    await session.release()
  }
}
