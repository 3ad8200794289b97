/**
 * The structure of an ONNX file without its large weights: protobuf fields are walked by their tags, and the raw data of
 * an initialiser is passed over where it is large. What is left is decoded as usual; protobuf lets the fields of a message
 * be joined in any pieces.
 */
import { closeSync, fstatSync, openSync } from 'node:fs'
import { fromBinary } from '@bufbuild/protobuf'
import { WireType } from '@bufbuild/protobuf/wire'
import { AppError } from '../../../errors.ts'
import { badModel } from '../graph/graph.ts'
import {
  GraphProtoSchema,
  ModelProtoSchema,
  TensorProtoSchema,
  type ModelProto,
  type TensorProto,
} from './proto/onnx_pb.ts'
import { readFully } from '../graph/stored.ts'

/** Raw data from this many bytes on stays in the file. */
const LARGE = 4096
const WINDOW = 16 * 1024
/** Field numbers of onnx.proto. */
const MODEL_GRAPH = 7
const GRAPH_INITIALIZER = 5
const TENSOR_RAW_DATA = 9

interface Range {
  readonly offset: number
  readonly length: number
}

export interface SkimmedModel {
  readonly model: ModelProto
  /** Where the raw data of an initialiser lies; the others hold theirs. */
  readonly places: ReadonlyMap<TensorProto, Range>
}

type FieldWire = WireType.Varint | WireType.Bit64 | WireType.LengthDelimited | WireType.Bit32

interface Field {
  readonly number: number
  readonly wire: FieldWire
  /** From the tag on. */
  readonly start: number
  /** What a length-delimited field holds. */
  readonly content: Range
  readonly end: number
}

function damaged(): Error {
  return badModel('The file is not an ONNX model, or it is cut short.')
}

/** Bytes of a file, by windows. */
class FileBytes {
  readonly size: number
  readonly #file: number
  #window: Uint8Array = new Uint8Array()
  #start = 0

  constructor(file: number) {
    this.#file = file
    this.size = fstatSync(file).size
  }

  at(offset: number): number {
    if (offset < this.#start || offset >= this.#start + this.#window.length) {
      if (offset >= this.size) throw damaged()
      this.#window = readFully(this.#file, offset, Math.min(WINDOW, this.size - offset))
      this.#start = offset
    }
    return this.#window[offset - this.#start] as number
  }

  /** Joined ranges. */
  read(ranges: readonly Range[]): Uint8Array {
    const whole = new Uint8Array(ranges.reduce((sum, range) => sum + range.length, 0))
    let at = 0
    for (const { offset, length } of ranges) {
      whole.set(readFully(this.#file, offset, length), at)
      at += length
    }
    return whole
  }
}

/** A number and the place behind it. Numbers beyond 2^53 are no lengths: they come back as such and fit nowhere. */
function varint(bytes: FileBytes, start: number): readonly [number, number] {
  let value = 0
  for (let place = 0; place < 10; place++) {
    const byte = bytes.at(start + place)
    value += (byte & 0x7f) * 2 ** (7 * place)
    if (byte < 0x80) return [value, start + place + 1]
  }
  throw damaged()
}

/** How the content of a field is written: the low three bits of its tag. Groups are no part of onnx.proto. */
function wireTypeOf(tag: number): FieldWire {
  switch (tag % 8) {
    case 0:
      return WireType.Varint
    case 1:
      return WireType.Bit64
    case 2:
      return WireType.LengthDelimited
    case 5:
      return WireType.Bit32
    default:
      throw damaged()
  }
}

/** The fields of the message in a range, in order. */
function* fieldsOf(bytes: FileBytes, { offset, length }: Range): Generator<Field> {
  const end = offset + length
  let at = offset
  while (at < end) {
    const start = at
    const [tag, behindTag] = varint(bytes, at)
    const wire = wireTypeOf(tag)
    let content: Range = { offset: behindTag, length: 0 }
    if (wire === WireType.Varint) [, at] = varint(bytes, behindTag)
    else if (wire === WireType.Bit64) at = behindTag + 8
    else if (wire === WireType.Bit32) at = behindTag + 4
    else {
      const [size, behindSize] = varint(bytes, behindTag)
      content = { offset: behindSize, length: size }
      at = behindSize + size
    }
    if (at > end) throw damaged()
    yield { number: Math.floor(tag / 8), wire, start, content, end: at }
  }
}

/** Fields that are kept, neighbours joined. */
class Kept {
  readonly ranges: Range[] = []
  add({ start, end }: Field): void {
    const last = this.ranges.at(-1)
    if (last && last.offset + last.length === start)
      this.ranges[this.ranges.length - 1] = { offset: last.offset, length: end - last.offset }
    else this.ranges.push({ offset: start, length: end - start })
  }
}

function skimTensor(bytes: FileBytes, range: Range): { readonly tensor: TensorProto; readonly place: Range | null } {
  if (range.length < LARGE) return { tensor: fromBinary(TensorProtoSchema, bytes.read([range])), place: null }
  const kept = new Kept()
  let place: Range | null = null
  for (const field of fieldsOf(bytes, range)) {
    const raw = field.number === TENSOR_RAW_DATA && field.wire === WireType.LengthDelimited
    if (raw && field.content.length >= LARGE) place = field.content
    else {
      if (raw) place = null
      kept.add(field)
    }
  }
  return { tensor: fromBinary(TensorProtoSchema, bytes.read(kept.ranges)), place }
}

/**
 * Reads the structure of a model file.
 * @throws AppError BAD_MODEL where it is no protobuf message of that kind, or cut short.
 */
export function skimModel(path: string): SkimmedModel {
  const file = openSync(path, 'r')
  try {
    const bytes = new FileBytes(file)
    const places = new Map<TensorProto, Range>()
    const initializers: TensorProto[] = []
    const [ofModel, ofGraph] = [new Kept(), new Kept()]
    let graphs = 0
    for (const field of fieldsOf(bytes, { offset: 0, length: bytes.size })) {
      if (field.number !== MODEL_GRAPH || field.wire !== WireType.LengthDelimited) {
        ofModel.add(field)
        continue
      }
      graphs++
      for (const inner of fieldsOf(bytes, field.content)) {
        if (inner.number !== GRAPH_INITIALIZER || inner.wire !== WireType.LengthDelimited) {
          ofGraph.add(inner)
          continue
        }
        const { tensor, place } = skimTensor(bytes, inner.content)
        initializers.push(tensor)
        if (place !== null) places.set(tensor, place)
      }
    }
    const model = fromBinary(ModelProtoSchema, bytes.read(ofModel.ranges))
    if (graphs > 0) {
      model.graph = fromBinary(GraphProtoSchema, bytes.read(ofGraph.ranges))
      model.graph.initializer.push(...initializers)
    }
    return { model, places }
  } catch (cause) {
    throw cause instanceof AppError ? cause : badModel('The file is not an ONNX model, or it is cut short.', cause)
  } finally {
    closeSync(file)
  }
}
