/** Values known before the run, to and from JavaScript numbers. */
import { sizeOf } from '../../../tensor/tensor.ts'
import { DataType, badModel, type Constant } from './graph.ts'

/** Bits an element takes in raw form, by ONNX data type; undefined for strings and complex numbers. */
const BITS: Readonly<Record<number, number>> = {
  1: 32, 2: 8, 3: 8, 4: 16, 5: 16, 6: 32, 7: 64, 9: 8, 10: 16, 11: 64, 12: 32, 13: 64,
  16: 16, 17: 8, 18: 8, 19: 8, 20: 8, 21: 4, 22: 4,
} // prettier-ignore

/** Bytes an element of a tensor takes; 4 where the type is not known. */
export function bytesPerElement(type: number): number {
  return (BITS[type] ?? 32) / 8
}

/** Bytes of a tensor's raw form. Throws BAD_MODEL for types that have none and for shapes that cannot be. */
export function byteLength(type: number, dims: readonly number[], name: string): number {
  const bits = BITS[type]
  if (bits === undefined) throw badModel(`Weight "${name}" has the element type ${type}, which is not supported.`)
  if (dims.some((dim) => !Number.isSafeInteger(dim) || dim < 0))
    throw badModel(`Weight "${name}" has the shape [${dims.join(', ')}]. The file is damaged.`)
  const length = Math.ceil((sizeOf(dims) * bits) / 8)
  if (length > 2 ** 34) throw badModel(`Weight "${name}" claims ${length} bytes. The file is damaged.`)
  return length
}

/** A copy only where the bytes do not start at a multiple of the element's size. */
function aligned(bytes: Uint8Array, size: number): Uint8Array {
  return bytes.byteOffset % size === 0 ? bytes : new Uint8Array(bytes)
}

function bytesOf(view: ArrayBufferView): Uint8Array {
  return new Uint8Array(view.buffer, view.byteOffset, view.byteLength)
}

export function floatConstant(values: Float32Array | readonly number[], dims: readonly number[]): Constant {
  const data = values instanceof Float32Array ? values : Float32Array.from(values)
  return { type: DataType.float, dims, bytes: bytesOf(data) }
}

const LARGEST_INT64 = 2n ** 63n - 1n

/** Files write "to the end" as the largest number there is, which a double rounds up past it. */
export function int64Of(value: number): bigint {
  if (value >= Number(LARGEST_INT64)) return LARGEST_INT64
  return value <= -Number(LARGEST_INT64) ? -LARGEST_INT64 - 1n : BigInt(value)
}

export function intConstant(values: readonly number[], dims: readonly number[] = [values.length]): Constant {
  return { type: DataType.int64, dims, bytes: bytesOf(BigInt64Array.from(values, int64Of)) }
}

/** Values of all 65,536 halves, made when first needed: a look-up a weight instead of its arithmetic. */
let halves: Float32Array | undefined
function halfValues(): Float32Array {
  return (halves ??= Float32Array.from({ length: 0x10000 }, (_, bits) => fromHalf(bits)))
}

function fromHalf(bits: number): number {
  const sign = bits & 0x8000 ? -1 : 1
  const exponent = (bits >> 10) & 0x1f
  const fraction = bits & 0x3ff
  if (exponent === 0) return sign * fraction * 2 ** -24
  if (exponent === 0x1f) return fraction === 0 ? sign * Infinity : NaN
  return sign * (1 + fraction / 1024) * 2 ** (exponent - 15)
}

/** Float values of a float32, float16, bfloat16 or double constant (a view where possible). */
export function floatsOf(constant: Constant): Float32Array {
  const { bytes } = constant
  switch (constant.type) {
    case DataType.float: {
      const view = aligned(bytes, 4)
      return new Float32Array(view.buffer, view.byteOffset, view.byteLength / 4)
    }
    case DataType.float16: {
      const view = aligned(bytes, 2)
      const bits = new Uint16Array(view.buffer, view.byteOffset, view.byteLength / 2)
      const [table, values] = [halfValues(), new Float32Array(bits.length)]
      for (let index = 0; index < values.length; index++) values[index] = table[bits[index] as number] as number
      return values
    }
    case DataType.bfloat16: {
      const view = aligned(bytes, 2)
      const upper = new Uint16Array(view.buffer, view.byteOffset, view.byteLength / 2)
      const bits = new Uint32Array(upper.length)
      for (let index = 0; index < bits.length; index++) bits[index] = (upper[index] as number) * 0x10000
      return new Float32Array(bits.buffer)
    }
    case DataType.double: {
      const view = aligned(bytes, 8)
      return Float32Array.from(new Float64Array(view.buffer, view.byteOffset, view.byteLength / 8))
    }
    default:
      throw badModel(`Expected a floating-point constant, found element type ${constant.type}.`)
  }
}

/** Integer values of an integer or bool constant; int64 beyond 2^53 is clamped (they only ever mean "to the end"). */
export function intsOf(constant: Constant): number[] {
  const { bytes } = constant
  const view = aligned(bytes, 8)
  const of = <T extends { length: number }>(
    kind: new (buffer: ArrayBufferLike, offset: number, length: number) => T,
    size: number,
  ): T => new kind(view.buffer, view.byteOffset, view.byteLength / size)
  switch (constant.type) {
    case DataType.int64:
      return Array.from(of(BigInt64Array, 8), Number)
    case DataType.int32:
      return Array.from(of(Int32Array, 4))
    case DataType.uint8:
    case DataType.bool:
      return Array.from(of(Uint8Array, 1))
    case DataType.int8:
      return Array.from(of(Int8Array, 1))
    case DataType.uint16:
      return Array.from(of(Uint16Array, 2))
    case DataType.int16:
      return Array.from(of(Int16Array, 2))
    default:
      throw badModel(`Expected an integer constant, found element type ${constant.type}.`)
  }
}
