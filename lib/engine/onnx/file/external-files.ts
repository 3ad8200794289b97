/** The weight files an ONNX model keeps beside itself, found without reading its weights. */
import type { AttributeProto, NodeProto, TensorProto } from './proto/onnx_pb.ts'
import { skimModel } from './skim-model.ts'

/** What a graph and a function have in common. */
interface Body {
  readonly node: readonly NodeProto[]
  readonly initializer?: readonly TensorProto[]
}

/** In the order of the fields in the file, on which a model's hash depends. */
function* tensorsOf({ node: nodes, initializer = [] }: Body): Generator<TensorProto> {
  for (const node of nodes) for (const attribute of node.attribute) yield* tensorsIn(attribute)
  yield* initializer
}

function* tensorsIn({ t, g, tensors, graphs }: AttributeProto): Generator<TensorProto> {
  if (t !== undefined) yield t
  if (g !== undefined) yield* tensorsOf(g)
  yield* tensors
  for (const graph of graphs) yield* tensorsOf(graph)
}

/**
 * Names of the external data files, as written in the model, in the order of their first use.
 * @throws AppError BAD_MODEL where the file is no protobuf message, or is cut short.
 */
export function externalFiles(path: string): readonly string[] {
  const { model } = skimModel(path)
  const bodies: readonly Body[] = [...(model.graph === undefined ? [] : [model.graph]), ...model.functions]
  const entries = bodies.flatMap((body) => [...tensorsOf(body)]).flatMap((tensor) => tensor.externalData)
  return [...new Set(entries.filter(({ key }) => key === 'location').map(({ value }) => value))]
}
