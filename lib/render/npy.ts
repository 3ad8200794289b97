/** NumPy's .npy file, format version 1.0: https://numpy.org/doc/stable/reference/generated/numpy.lib.format.html */
import type { FloatTensor } from '../tensor/tensor.ts'

/** The header, magic and length included, is padded to a multiple of this. */
const ALIGNMENT = 64

/** @returns the bytes of a .npy file: float32, little-endian, C order, in the tensor's shape. */
export function npyBytes(tensor: FloatTensor): Uint8Array {
  // A Python tuple of one needs its comma.
  const shape = tensor.dims.length === 1 ? `(${tensor.dims[0]},)` : `(${tensor.dims.join(', ')})`
  const dictionary = `{'descr': '<f4', 'fortran_order': False, 'shape': ${shape}, }`
  const unpadded = 10 + dictionary.length + 1
  const headerLength = Math.ceil(unpadded / ALIGNMENT) * ALIGNMENT
  const bytes = new Uint8Array(headerLength + tensor.data.length * 4)
  const view = new DataView(bytes.buffer)
  const text = `\x93NUMPY\x01\x00\x00\x00${dictionary.padEnd(headerLength - 11)}\n`
  for (let at = 0; at < headerLength; at++) bytes[at] = text.charCodeAt(at)
  view.setUint16(8, headerLength - 10, true)
  tensor.data.forEach((value, index) => {
    view.setFloat32(headerLength + index * 4, value, true)
  })
  return bytes
}
