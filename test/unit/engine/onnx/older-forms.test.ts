/** Forms of operators that old exporters write and newer ones do not. */
import { describe, expect, it } from 'vitest'
import { floatConstant } from '../../../../lib/engine/onnx/constant.ts'
import { DataType } from '../../../../lib/engine/onnx/graph.ts'
import { loadOnnxModel } from '../../../../lib/engine/onnx/load.ts'
import { writeModel } from '../../../../lib/engine/onnx/write-model.ts'
import { float32 } from '../../../../lib/tensor/tensor.ts'
import { graphOf, loadGraph, node } from '../../../helpers/operator-model.ts'
import { mkdtemp, rm, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'

const x = float32([1, -2, 3, 4], [1, 4])
const ratio = { ratio: { kind: 'float', value: 0.5 } } as const
const inputs = [{ name: 'x', type: DataType.float, shape: ['n', 4] }]

describe('Dropout with a mask', () => {
  it.each([7, 9, 10, 11])('of set %i, which nobody reads: passes on', async (opset) => {
    const nodes = [node('Relu', ['x'], ['r']), node('Dropout', ['r'], ['d', 'mask'], ratio), node('Exp', ['d'], ['y'])]
    const model = await loadGraph(graphOf({ nodes, inputs, outputs: ['y'], constants: new Map(), opset }))
    const of = { y: float32([1, 1, 1, 1], [1, 4]) }
    const { values, gradients } = await model.ask({ feeds: { x }, read: ['r', 'd'], gradient: { of, wrt: ['x'] } })
    expect(values['d']).toEqual(values['r'])
    expect([...(gradients['x']?.data ?? [])].map((one) => Math.round(one * 10) / 10)).toEqual([2.7, 0, 20.1, 54.6])
    await model.dispose()
  })

  it.each([
    [7, [node('Mul', ['d', 'mask'], ['y'])]],
    [10, [node('Cast', ['mask'], ['kept'], { to: { kind: 'int', value: 1 } }), node('Mul', ['d', 'kept'], ['y'])]],
  ] as const)('of set %i, which is read: all ones, in the type of its set', async (opset, readers) => {
    const nodes = [node('Dropout', ['x'], ['d', 'mask'], ratio), ...readers]
    const model = await loadGraph(graphOf({ nodes, inputs, outputs: ['y'], constants: new Map(), opset }))
    const { values } = await model.ask({ feeds: { x }, read: ['y'] })
    expect([...(values['y']?.data ?? [])]).toEqual([1, -2, 3, 4])
    await model.dispose()
  })
})

describe('refused when it is loaded, saying why', () => {
  const load = async (graph: Parameters<typeof graphOf>[0]): Promise<unknown> => {
    const folder = await mkdtemp(join(tmpdir(), 'limelight-forms-'))
    try {
      await writeFile(join(folder, 'model.onnx'), writeModel(graphOf(graph)))
      return await loadOnnxModel(join(folder, 'model.onnx'))
    } finally {
      await rm(folder, { recursive: true, force: true })
    }
  }
  it('an input of bytes', async () => {
    const bytes = [{ name: 'image', type: DataType.uint8, shape: ['n', 3, 8, 8] }]
    const nodes = [node('Cast', ['image'], ['y'], { to: { kind: 'int', value: 1 } })]
    await expect(load({ nodes, inputs: bytes, outputs: ['y'], constants: new Map() })).rejects.toMatchObject({
      code: 'BAD_MODEL',
      message: expect.stringMatching(/input "image" takes uint8/),
    })
  })
  it('an output that is a weight', async () => {
    const constants = new Map([['w', floatConstant([1, 2], [1, 2])]])
    const nodes = [node('Relu', ['x'], ['unused'])]
    await expect(load({ nodes, inputs, outputs: ['w'], constants })).rejects.toMatchObject({ code: 'BAD_MODEL' })
  })
})

describe('a question whose answer is given with it', () => {
  it('computes nothing', async () => {
    const nodes = [node('Relu', ['x'], ['r']), node('Exp', ['r'], ['y'])]
    const model = await loadGraph(graphOf({ nodes, inputs, outputs: ['y'], constants: new Map() }))
    const r = float32([5, 6, 7, 8], [1, 4])
    expect((await model.ask({ feeds: { x }, read: ['x'] })).values['x']).toEqual(x)
    expect((await model.ask({ from: { r }, read: ['r'] })).values['r']).toEqual(r)
    expect((await model.ask({ from: { y: r }, read: ['y'] })).values['y']).toEqual(r)
    expect(model.compiledQuestions).toBe(0)
    await expect(model.ask({ feeds: { x: float32([1], [1, 1]) }, read: ['x'] })).rejects.toMatchObject({
      code: 'BAD_INPUT',
    })
    await model.dispose()
  })
})
