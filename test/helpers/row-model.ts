/** A row of the gradient-check table as a model, its feeds and a seeded cotangent. */
import type { Cotangent } from '../../lib/engine/model.ts'
import type { OnnxModel } from '../../lib/engine/onnx/model/onnx-model.ts'
import type { Constant, Graph, Shape } from '../../lib/engine/onnx/graph/graph.ts'
import { float32, int64, sizeOf, type FloatTensor, type Tensor } from '../../lib/tensor/tensor.ts'
import { typeOf, type Row, type RowInput } from '../fixtures/onnx/operator-rows.ts'
import { normals } from './random.ts'
import { graphOf, loadGraph, node, type OperatorInput } from './operator-model.ts'

interface RowGraph {
  readonly graph: Graph
  readonly feeds: Readonly<Record<string, Tensor>>
  /** Names of the differentiated inputs. */
  readonly wrt: readonly string[]
  readonly output: string
}

/** What the engine knows of the extents: all of them, all but the batch's, or none. */
export type Extents = 'fixed' | 'batch' | 'symbolic'

function feedOf(input: RowInput): Tensor | null {
  if (input.kind === 'float') return float32(input.data, input.dims)
  if (input.kind !== 'int') return null
  const { dims, data } = input
  if (input.type === 'bool') return { type: 'bool', dims, data: Uint8Array.from(data) }
  if (input.type === 'int32') return { type: 'int32', dims, data: Int32Array.from(data) }
  return int64(data, dims)
}

/** What a row's model is fed. */
export function feedsOf(inputs: readonly RowInput[]): Record<string, Tensor> {
  return Object.fromEntries(
    inputs.flatMap((input, index): [string, Tensor][] => {
      const feed = feedOf(input)
      return feed ? [[`in${index}`, feed]] : []
    }),
  )
}

export interface RowCase extends RowGraph {
  readonly model: OnnxModel
}

export async function rowCase(row: Row, extents: Extents): Promise<RowCase> {
  const one = rowGraph(row, extents)
  return { ...one, model: await loadGraph(one.graph) }
}

/** The row as the file that an exporter would write. */
export function rowGraph(row: Row, extents: Extents): RowGraph {
  const constants = new Map<string, Constant>()
  const inputs: OperatorInput[] = []
  const wrt: string[] = []
  const names = row.inputs.map((input, index) => {
    const name = `in${index}`
    if (input.kind === 'none') return ''
    if (input.kind === 'constant') {
      constants.set(name, input.value)
      return name
    }
    const shape: Shape = input.dims.map((dim, axis) => {
      if (extents === 'symbolic') return `${name}_${axis}`
      return extents === 'batch' && axis === 0 && row.batch.includes(index) ? 'batch' : dim
    })
    inputs.push({ name, type: typeOf(input), shape })
    if (input.kind === 'float') wrt.push(name)
    return name
  })
  const outputs = Array.from({ length: row.outputs }, (_, index) => `out${index}`)
  const output = outputs[row.of] ?? ''
  const graph = graphOf({
    nodes: [node(row.operator, names, outputs, row.attributes, row.domain ?? '')],
    inputs,
    outputs: [output],
    constants,
    opset: row.opset,
    domains: row.domain ? [row.domain] : [],
  })
  return { graph, feeds: feedsOf(row.inputs), wrt, output }
}

/** Seeded normal weights in the output's shape; ones for rows that state the expected gradient. */
export function rowCotangent(row: Row, dims: readonly number[]): FloatTensor {
  return float32(row.expected ? new Float32Array(sizeOf(dims)).fill(1) : normals(sizeOf(dims), 77), dims)
}

export async function cotangentFor(row: Row, one: Omit<RowCase, 'graph'>): Promise<Cotangent> {
  const { values } = await one.model.ask({ feeds: one.feeds, read: [one.output] })
  return { [one.output]: rowCotangent(row, (values[one.output] as FloatTensor).dims) }
}
