/** A weight of the file -> a constant. */
import type { AppError } from '../../../errors.ts'
import { sizeOf } from '../../../tensor/tensor.ts'
import { byteLength } from '../graph/constant.ts'
import { badModel, DataType, type Constant, type StoredBytes } from '../graph/graph.ts'
import { StoredConstant } from '../graph/stored.ts'
import type { ExternalData } from './external-data.ts'
import { TensorProto_DataLocation, type TensorProto } from './proto/onnx_pb.ts'

const SMALL = 4096

/** Where weights are that the protobuf message does not hold. */
export interface Outside {
  readonly external?: ExternalData
  readonly places?: ReadonlyMap<TensorProto, StoredBytes>
}

export async function readTensor(proto: TensorProto, name: string, outside: Outside): Promise<Constant> {
  const dims = proto.dims.map(Number)
  const type = proto.dataType
  const length = byteLength(type, dims, name)
  const wrong = (found: number): AppError =>
    badModel(`Weight "${name}" of shape [${dims.join(', ')}] needs ${length} bytes, found ${found}.`)
  const place = outside.places?.get(proto)
  if (place !== undefined) {
    if (place.length !== length) throw wrong(place.length)
    return new StoredConstant(type, dims, place)
  }
  if (proto.dataLocation === TensorProto_DataLocation.EXTERNAL) {
    const entries = new Map(proto.externalData.map((one) => [one.key, one.value]))
    const location = entries.get('location')
    if (location === undefined || outside.external === undefined)
      throw badModel(`Weight "${name}" lies in a file that is not given.`)
    const stated = entries.get('length')
    if (stated !== undefined && Number(stated) !== length)
      throw badModel(`Weight "${name}" needs ${length} bytes, its entry says ${stated}.`)
    const stored = await outside.external(location, Number(entries.get('offset') ?? 0), length)
    // Small ones are read now: they are sizes and axes.
    return length < SMALL
      ? { type, dims, bytes: stored.file.read(stored.offset, length) }
      : new StoredConstant(type, dims, stored)
  }
  const bytes = proto.rawData.length > 0 ? proto.rawData : typedBytes(proto)
  if (bytes.length !== length) throw wrong(bytes.length)
  return { type, dims, bytes }
}

/** The values of a tensor written in typed fields instead of raw bytes. */
function typedBytes(proto: TensorProto): Uint8Array {
  const of = (view: ArrayBufferView): Uint8Array => new Uint8Array(view.buffer, view.byteOffset, view.byteLength)
  switch (proto.dataType) {
    case DataType.float:
      return of(Float32Array.from(proto.floatData))
    case DataType.int32:
      return of(Int32Array.from(proto.int32Data))
    case DataType.int16:
    case DataType.uint16:
    case DataType.float16:
    case DataType.bfloat16:
      return of(Uint16Array.from(proto.int32Data))
    case DataType.int64:
      return of(BigInt64Array.from(proto.int64Data))
    case DataType.double:
      return of(Float64Array.from(proto.doubleData))
    case DataType.uint32:
      return of(Uint32Array.from(proto.uint64Data, Number))
    case DataType.uint64:
      return of(BigUint64Array.from(proto.uint64Data))
    default:
      return sizeOf(proto.dims.map(Number)) === 0 ? new Uint8Array() : of(Uint8Array.from(proto.int32Data))
  }
}
