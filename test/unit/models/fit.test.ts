/** Whether a network takes what its card says: said when it is loaded. And pictures as networks of other layouts take them. */
import { afterAll, describe, expect, test } from 'vitest'
import { mkdtemp, rm, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import type { ExplainableModel } from '../../../lib/engine/model.ts'
import { floatConstant } from '../../../lib/engine/onnx/graph/constant.ts'
import { DataType, type GraphNode, type ValueInfo } from '../../../lib/engine/onnx/graph/graph.ts'
import { writeModel } from '../../../lib/engine/onnx/file/write-model.ts'
import { loadOnnxModel } from '../../../lib/engine/onnx/model/load.ts'
import { forChannels, preprocessImage } from '../../../lib/image/preprocess.ts'
import { pictureUnits } from '../../../lib/image/units.ts'
import type { ImagePreprocessing } from '../../../lib/models/card.ts'
import { checkFit } from '../../../lib/models/fit.ts'
import { float32 } from '../../../lib/tensor/tensor.ts'
import { graphOf, node } from '../../helpers/operator-model.ts'

const folder = await mkdtemp(join(tmpdir(), 'limelight-fit-'))
afterAll(() => rm(folder, { recursive: true }))

const CARD: ImagePreprocessing = {
  kind: 'image',
  width: 4,
  height: 2,
  resize: 'squash',
  layout: 'NCHW',
  mean: [10, 20, 30],
  std: [1, 2, 4],
  colour: 'RGB',
}

/** Mean over the places, then weights: [N, C] -> [N, 2]. */
function head(map: string, axes: readonly [number, number]): GraphNode[] {
  return [
    node('ReduceMean', [map], ['pooled'], {
      axes: { kind: 'ints', value: axes },
      keepdims: { kind: 'int', value: 0 },
    }),
    node('MatMul', ['pooled', 'weights'], ['logits']),
  ]
}

let files = 0
async function opened(nodes: readonly GraphNode[], inputs: readonly ValueInfo[], channels = 3): Promise<ExplainableModel> {
  const path = join(folder, `${(files += 1)}.onnx`)
  const weights = floatConstant(
    Array.from({ length: channels * 2 }, (_, at) => at + 1),
    [channels, 2],
  )
  const graph = graphOf({ nodes, inputs, outputs: ['logits'], constants: new Map([['weights', weights]]) })
  await writeFile(path, writeModel({ ...graph, opsets: new Map([['', 13]]) }))
  return loadOnnxModel(path, { threads: 1 })
}
const picture = (shape: ValueInfo['shape'], type: number = DataType.float): ValueInfo => ({ name: 'x', type, shape })

const feed = float32(
  Float32Array.from({ length: 24 }, (_, at) => at),
  [1, 3, 2, 4],
)

describe('layouts and types', () => {
  test('channels last: fed and differentiated as [N, C, H, W]', async () => {
    const last = await opened(head('x', [1, 2]), [picture(['N', 2, 4, 3])])
    const first = await opened(head('x', [2, 3]), [picture(['N', 3, 2, 4])])
    const question = {
      feeds: { x: feed },
      read: ['logits'],
      gradient: { of: { logits: float32(Float32Array.of(1, 0), [1, 2]) }, wrt: ['x'] },
    }
    const [one, other] = await Promise.all([last, first].map((model) => model.ask(question)))
    expect(last.taps[0]).toMatchObject({ id: 'x', shape: [null, 3, 2, 4], spatial: true })
    expect(one).toEqual(other)
    await Promise.all([last.dispose(), first.dispose()])
  })
  test('bytes that are cast are floats, with a gradient', async () => {
    const cast = node('Cast', ['x'], ['floats'], { to: { kind: 'int', value: DataType.float } })
    const model = await opened([cast, ...head('floats', [1, 2])], [picture(['N', 2, 4, 3], DataType.uint8)])
    const { values, gradients } = await model.ask({
      feeds: { x: feed },
      read: ['logits'],
      gradient: { of: { logits: float32(Float32Array.of(1, 0), [1, 2]) }, wrt: ['x'] },
    })
    expect([...(values['logits']?.data ?? [])]).toEqual([3.5 + 3 * 11.5 + 5 * 19.5, 2 * 3.5 + 4 * 11.5 + 6 * 19.5])
    expect(gradients['x']?.data[0]).toBe(1 / 8)
    await model.dispose()
  })
})

describe('one channel', () => {
  const image = {
    rgb: Uint8Array.from({ length: 24 }, (_, at) => (at % 3 === 0 ? 255 : at % 3 === 1 ? 100 : 30)),
    width: 4,
    height: 2,
  } as Parameters<typeof preprocessImage>[0]
  test('is luminance as Pillow has it', async () => {
    const { feed: grey } = await preprocessImage(image, forChannels(CARD, 1))
    expect(grey.dims).toEqual([1, 1, 2, 4])
    // Image.new('RGB', (1, 1), (255, 100, 30)).convert('L').getpixel((0, 0))
    expect([...grey.data]).toEqual(Array.from({ length: 8 }, () => 138 - 10))
  })
  test('its units have one channel too', () => {
    const units = pictureUnits(forChannels(CARD, 1))
    expect([units.lowest, units.highest]).toEqual([[-10], [245]])
    expect(units.colour([255, 255, 255]).dims).toEqual([1, 1, 2, 4])
    expect(units.colour([255, 255, 255]).data[0]).toBeCloseTo(245, 3)
  })
  test('three stay three', () => {
    expect(forChannels(CARD, 3)).toBe(CARD)
  })
})

describe('what does not fit is said when the model is loaded, in the card’s words', () => {
  const said = async (shape: ValueInfo['shape'], channels: number, more: readonly ValueInfo[] = []): Promise<string> => {
    const used = more.map(({ name }) => node('Identity', [name], [`${name}/read`]))
    const model = await opened([...used, ...head('x', [2, 3])], [picture(shape), ...more], channels)
    try {
      checkFit(model, { preprocessing: CARD })
      return ''
    } catch (error) {
      return (error as Error).message
    } finally {
      await model.dispose()
    }
  }
  test('what fits', async () => {
    expect(await said(['N', 3, 2, 4], 3)).toBe('')
    expect(await said(['N', 1, 2, 4], 1)).toBe('')
    expect(await said(['N', 3, null, null], 3)).toBe('')
  })
  test('another size', async () => {
    expect(await said(['N', 3, 2, 8], 3)).toMatch(/preprocessing\.width is 4.*"x" takes a width of 8/)
    expect(await said(['N', 3, 6, 4], 3)).toMatch(/preprocessing\.height is 2.*height of 6/)
  })
  test('four channels', async () => {
    expect(await said(['N', 4, 2, 4], 4)).toMatch(/"x" has 4 channels/)
  })
  test('a number beside the picture', async () => {
    expect(await said(['N', 3, 2, 4], 3, [{ name: 'age', type: DataType.float, shape: ['N', 1] }])).toMatch(
      /nothing can be given for "age"/,
    )
  })
})
