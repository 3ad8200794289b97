/** Counts as they are stored: uint32, little endian, whatever the machine. */

export function countBytes(counts: readonly Uint32Array[]): Uint8Array<ArrayBuffer> {
  const bytes = new Uint8Array(counts.reduce((sum, { byteLength }) => sum + byteLength, 0))
  const view = new DataView(bytes.buffer)
  let at = 0
  for (const some of counts)
    for (const count of some) {
      view.setUint32(at, count, true)
      at += Uint32Array.BYTES_PER_ELEMENT
    }
  return bytes
}

export function countsOf(bytes: Uint8Array): Uint32Array {
  const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength)
  return Uint32Array.from({ length: bytes.byteLength / 4 }, (_, at) => view.getUint32(at * 4, true))
}
