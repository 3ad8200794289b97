/** What ONNX Runtime says of the tensors of a graph. */
import type { InferenceSession } from 'onnxruntime-node'
import type { Dim, Graph, ValueInfo } from '../graph/graph.ts'
import { typeCode } from '../run/runtime.ts'

export function everyOutput(graph: Graph): ValueInfo[] {
  return graph.nodes.flatMap((node) =>
    node.outputs.filter((name) => name !== '').map((name) => ({ name, type: 0, shape: null })),
  )
}

/** The runtime says [] both for a scalar and for an unknown rank: a probe tells them apart where it matters. */
export function valuesOf(session: InferenceSession, graph: Graph): Map<string, ValueInfo> {
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
