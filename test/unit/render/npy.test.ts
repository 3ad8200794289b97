import { describe, expect, it } from 'vitest'
import { npyBytes } from '../../../lib/render/npy.ts'
import { float32 } from '../../../lib/tensor/tensor.ts'

const text = (bytes: Uint8Array): string => Buffer.from(bytes).toString('latin1')

describe('npyBytes', () => {
  it('equals the bytes of numpy.save', () => {
    // NumPy 2.4.6: np.save of np.array([[1.5, -2, 0], [3e-40, 3.4e38, -0.1]], '<f4')
    const golden =
      '934e554d5059010076007b276465736372273a20273c6634272c2027666f727472616e5f6f72646572273a2046616c73' +
      '652c20277368617065273a2028322c2033292c207d202020202020202020202020202020202020202020202020202020' +
      '202020202020202020202020202020202020202020202020202020202020200a0000c03f000000c00000000047440300' +
      '9ec97f7fcdccccbd'
    const bytes = npyBytes(float32([1.5, -2, 0, 3e-40, 3.4e38, -0.1], [2, 3]))
    expect(Buffer.from(bytes).toString('hex')).toBe(golden)
  })

  it.each([
    { dims: [3], shape: '(3,)' },
    { dims: [], shape: '()' },
    { dims: [1, 2, 3], shape: '(1, 2, 3)' },
    { dims: [100000, 0], shape: '(100000, 0)' },
  ])('writes shape $shape, with data at a multiple of 64', ({ dims, shape }) => {
    const size = dims.reduce((product, dim) => product * dim, 1)
    const bytes = npyBytes(float32(new Float32Array(size), dims))
    expect(text(bytes)).toContain(`'shape': ${shape}, }`)
    const start = bytes.length - size * 4
    expect(start % 64).toBe(0)
    expect(text(bytes)[start - 1]).toBe('\n')
    expect(new DataView(bytes.buffer).getUint16(8, true)).toBe(start - 10)
  })

  it('writes a view of a larger array as its own part only', () => {
    const tensor = float32(Float32Array.from([9, 1, 2, 9]).subarray(1, 3), [2])
    const bytes = npyBytes(tensor)
    expect(Buffer.from(bytes.slice(-8)).equals(Buffer.from(Float32Array.from([1, 2]).buffer))).toBe(true)
  })
})
