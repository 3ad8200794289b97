/** The weight files an ONNX model keeps beside itself, found without decoding the model. */
import { BinaryReader, WireType } from '@bufbuild/protobuf/wire'
import { badModel } from '../graph/graph.ts'

/** A message of onnx.proto: the fields that lead to external data, by number, and what they hold. */
interface Message {
  readonly [field: number]: () => Message
}
const ENTRY: Message = {}
const TENSOR: Message = { 13: () => ENTRY } // external_data
const ATTRIBUTE: Message = { 5: () => TENSOR, 6: () => GRAPH, 10: () => TENSOR, 11: () => GRAPH } // t, g, tensors, graphs
const NODE: Message = { 5: () => ATTRIBUTE } // attribute
const GRAPH: Message = { 1: () => NODE, 5: () => TENSOR } // node, initializer
const MODEL: Message = { 7: () => GRAPH } // graph

function walk(bytes: Uint8Array, message: Message, found: Set<string>): void {
  const reader = new BinaryReader(bytes)
  let key = ''
  let value = ''
  while (reader.pos < reader.len) {
    const [field, wire] = reader.tag()
    const inner = message[field]
    if (message === ENTRY && wire === WireType.LengthDelimited && field <= 2) {
      if (field === 1) key = reader.string()
      else value = reader.string()
    } else if (inner !== undefined && wire === WireType.LengthDelimited) walk(reader.bytes(), inner(), found)
    else reader.skip(wire, field)
  }
  if (message === ENTRY && key === 'location') found.add(value)
}

/**
 * Names of the external data files, as written in the model, in the order of their first use.
 * @throws AppError BAD_MODEL where the bytes are no protobuf message, or are cut short.
 */
export function externalFiles(model: Uint8Array): readonly string[] {
  const found = new Set<string>()
  try {
    walk(model, MODEL, found)
  } catch (cause) {
    throw badModel('The file is not an ONNX model, or it is cut short.', cause)
  }
  return [...found]
}
