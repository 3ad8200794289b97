/** A dense, row-major array with its shape. Immutable by convention: nobody writes into a tensor they did not make. */
type TensorData = Float32Array | BigInt64Array | Int32Array | Uint8Array
export type TensorType = 'float32' | 'int64' | 'int32' | 'bool'

export interface Tensor<D extends TensorData = TensorData> {
  readonly type: TensorType
  readonly dims: readonly number[]
  readonly data: D
}
export type FloatTensor = Tensor<Float32Array>

/** The number of elements of a shape; 1 for a scalar. */
export function sizeOf(dims: readonly number[]): number {
  return dims.reduce((product, dim) => product * dim, 1)
}

function checked<D extends TensorData>(type: TensorType, data: D, dims: readonly number[]): Tensor<D> {
  if (data.length !== sizeOf(dims))
    throw new RangeError(`tensor of shape [${dims.join(', ')}] needs ${sizeOf(dims)} values, found ${data.length}`)
  return { type, dims, data }
}

export function float32(data: Float32Array | readonly number[], dims: readonly number[]): FloatTensor {
  return checked('float32', data instanceof Float32Array ? data : Float32Array.from(data), dims)
}

export function int64(data: BigInt64Array | readonly number[], dims: readonly number[]): Tensor<BigInt64Array> {
  return checked('int64', data instanceof BigInt64Array ? data : BigInt64Array.from(data, BigInt), dims)
}

export function zeros(dims: readonly number[]): FloatTensor {
  return float32(new Float32Array(sizeOf(dims)), dims)
}

/** Narrows to float32, or throws naming the tensor. */
export function asFloat(tensor: Tensor, name: string): FloatTensor {
  if (!(tensor.data instanceof Float32Array)) throw new TypeError(`${name}: expected float32, found ${tensor.type}`)
  return tensor as FloatTensor
}

/** Row `index` of the first axis, as a view: [N, ...rest] -> [...rest]. */
export function row(tensor: FloatTensor, index: number): FloatTensor {
  const [count, ...rest] = tensor.dims
  if (count === undefined || index < 0 || index >= count)
    throw new RangeError(`row ${index} of [${tensor.dims.join(', ')}]`)
  const size = sizeOf(rest)
  return float32(tensor.data.subarray(index * size, (index + 1) * size), rest)
}

/** The one row of a tensor, `rows` times: [1, ...rest] -> [rows, ...rest]. */
export function repeatRow(tensor: Tensor, rows: number): Tensor {
  const [one, ...rest] = tensor.dims
  if (one !== 1) throw new RangeError(`expected one row, found [${tensor.dims.join(', ')}]`)
  const size = tensor.data.length
  const data = new (tensor.data.constructor as new (length: number) => TensorData)(size * rows)
  // Of the same kind, which the union of typed arrays cannot say.
  for (let row = 0; row < rows; row += 1) (data as Float32Array).set(tensor.data as Float32Array, row * size)
  return { type: tensor.type, dims: [rows, ...rest], data }
}
