/** The gradient as a file of its own: what it states, what it computes, what it refuses. */
import { mkdtemp, rm, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join, resolve } from 'node:path'
import { InferenceSession, Tensor as RuntimeTensor } from 'onnxruntime-node'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { floatConstant } from '../../../../../lib/engine/onnx/graph/constant.ts'
import { gradientModel } from '../../../../../lib/engine/onnx/model/gradient-file.ts'
import { DataType } from '../../../../../lib/engine/onnx/graph/graph.ts'
import { loadOnnxModel } from '../../../../../lib/engine/onnx/model/load.ts'
import { readModel } from '../../../../../lib/engine/onnx/file/read-model.ts'
import { writeModel } from '../../../../../lib/engine/onnx/file/write-model.ts'
import { float32 } from '../../../../../lib/tensor/tensor.ts'
import { graphOf, node } from '../../../../helpers/operator-model.ts'
import { normals } from '../../../../helpers/random.ts'

const NETWORK = resolve('test/fixtures/networks/mobilenet-v2.onnx')
const TAP = '/features/features.2/conv/conv.0/conv.0.2/Clip_output_0'
let folder: string
beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), 'limelight-gradient-'))
})
afterAll(() => rm(folder, { recursive: true, force: true }))

describe('the gradient of a network', () => {
  it('states the type of every input and output, and their shapes', async () => {
    const { bytes, outputs } = await gradientModel(NETWORK, { wrt: ['image', TAP] })
    expect(outputs).toEqual(['logits', 'gradient/image', `gradient/${TAP}`])
    const graph = await readModel(bytes)
    expect(graph.inputs.map((one) => one.name)).toEqual(['image', 'cotangent'])
    for (const one of [...graph.inputs, ...graph.outputs]) expect(one, one.name).toMatchObject({ type: DataType.float })
    expect(graph.outputs.map((one) => one.shape?.slice(1))).toEqual([[7], [3, 40, 48], [24, 20, 24]])
  })

  it('is what the engine answers, bit by bit, for any number of rows', async () => {
    const { bytes } = await gradientModel(NETWORK, { wrt: ['image'] })
    const session = await InferenceSession.create(bytes, { intraOpNumThreads: 1 })
    const model = await loadOnnxModel(NETWORK, { threads: 1 })
    for (const rows of [1, 3]) {
      const image = float32(normals(rows * 3 * 40 * 48, 1), [rows, 3, 40, 48])
      const cotangent = float32(normals(rows * 7, 2), [rows, 7])
      const feeds = {
        image: new RuntimeTensor('float32', image.data, image.dims),
        cotangent: new RuntimeTensor('float32', cotangent.data, cotangent.dims),
      }
      const gradient = { of: { logits: cotangent }, wrt: ['image'] }
      const { gradients } = await model.ask({ feeds: { image }, read: ['logits'], gradient })
      expect((await session.run(feeds))['gradient/image']?.data).toEqual(gradients['image']?.data)
    }
    await session.release()
    await model.dispose()
  })

  it('takes a label that only one tap has', async () => {
    const model = await loadOnnxModel(NETWORK, { threads: 1 })
    const tap = model.taps.find((one) => one.id === TAP)
    await model.dispose()
    const { outputs } = await gradientModel(NETWORK, { wrt: [tap?.label ?? ''] })
    expect(outputs).toEqual(['logits', `gradient/${TAP}`])
    await expect(gradientModel(NETWORK, { wrt: ['nowhere'] })).rejects.toMatchObject({
      code: 'UNKNOWN_LAYER',
      message: expect.stringContaining('no layer "nowhere"'),
    })
  })
})

it.each(['cotangent', 'gradient/x'])('a model with a tensor "%s" of its own is refused', async (name) => {
  const path = join(folder, `${name.replace('/', '-')}.onnx`)
  const nodes = [
    node('Exp', ['x'], [name === 'cotangent' ? 'e' : name]),
    node('Relu', [name === 'cotangent' ? 'e' : name], ['r']),
  ]
  const named = name === 'cotangent' ? [{ name, type: DataType.float, shape: ['n', 4] }] : []
  const graph = graphOf({
    nodes: named.length > 0 ? [...nodes, node('Add', ['r', name], ['y'])] : [...nodes, node('Exp', ['r'], ['y'])],
    inputs: [{ name: 'x', type: DataType.float, shape: ['n', 4] }, ...named],
    outputs: ['y'],
    constants: new Map(),
  })
  await writeFile(path, writeModel(graph))
  await expect(gradientModel(path, { wrt: ['x'] })).rejects.toMatchObject({
    code: 'BAD_MODEL',
    message: expect.stringContaining(`a tensor "${name}" of its own`),
  })
})

it.each(['cotangent', 'gradient/x'])('a model with a weight "%s" is refused', async (name) => {
  const path = join(folder, `weight-${name.replace('/', '-')}.onnx`)
  const graph = graphOf({
    nodes: [node('MatMul', ['x', name], ['y'])],
    inputs: [{ name: 'x', type: DataType.float, shape: ['n', 4] }],
    outputs: ['y'],
    constants: new Map([[name, floatConstant(normals(12, 1), [4, 3])]]),
  })
  await writeFile(path, writeModel(graph))
  await expect(gradientModel(path, { wrt: ['x'] })).rejects.toMatchObject({
    code: 'BAD_MODEL',
    message: expect.stringContaining(`a tensor "${name}" of its own`),
  })
})

it('a node may be called as a gradient is, and an output may be a number: the file loads and states its shape', async () => {
  const path = join(folder, 'number.onnx')
  const graph = graphOf({
    nodes: [
      { ...node('Exp', ['x'], ['e']), name: 'gradient/x' },
      node('ReduceSum', ['e'], ['y'], { keepdims: { kind: 'int', value: 0 } }),
    ],
    inputs: [{ name: 'x', type: DataType.float, shape: ['n', 4] }],
    outputs: ['y'],
    constants: new Map(),
  })
  await writeFile(path, writeModel(graph))
  const { bytes } = await gradientModel(path, { wrt: ['x'] })
  expect((await readModel(bytes)).outputs.map((one) => one.shape)).toEqual([[], [null, 4]])
  const session = await InferenceSession.create(bytes, { intraOpNumThreads: 1 })
  const feeds = {
    x: new RuntimeTensor('float32', new Float32Array(4), [1, 4]),
    cotangent: new RuntimeTensor('float32', Float32Array.of(2), []),
  }
  expect([...((await session.run(feeds))['gradient/x']?.data ?? [])]).toEqual([2, 2, 2, 2])
  await session.release()
})
