/** What an ONNX file says of its input and output, read without its weights. */
import type { ValueInfoProto } from '../../engine/onnx/file/proto/onnx_pb.ts'
import { skimModel } from '../../engine/onnx/file/skim-model.ts'
import type { GraphFacts } from './sources.ts'

/** null for an axis that is open. */
function dimsOf(value: ValueInfoProto | undefined): readonly (number | null)[] {
  const type = value?.type?.value
  if (type?.case !== 'tensorType') return []
  return (type.value.shape?.dim ?? []).map(({ value: dim }) =>
    dim.case === 'dimValue' && Number(dim.value) > 0 ? Number(dim.value) : null,
  )
}

/** @throws AppError BAD_MODEL where the file is no ONNX model, or is cut short */
export function graphFacts(path: string): GraphFacts {
  const { graph } = skimModel(path).model
  // Older files list their weights among the inputs.
  const stored = new Set(graph?.initializer.map(({ name }) => name))
  const output = dimsOf(graph?.output.find(({ name }) => name === 'logits') ?? graph?.output[0])
  return {
    input: dimsOf(graph?.input.find(({ name }) => !stored.has(name))),
    classes: output.length === 2 ? (output[1] ?? null) : null,
  }
}
