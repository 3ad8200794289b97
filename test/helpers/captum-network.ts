/** Networks and attributions that captum-goldens.py wrote, as graphs of this engine. */
import { readFileSync } from 'node:fs'
import { z } from 'zod'
import { floatConstant, intConstant } from '../../lib/engine/onnx/graph/constant.ts'
import { DataType, type Attribute, type Constant, type GraphNode } from '../../lib/engine/onnx/graph/graph.ts'
import { float32, type FloatTensor } from '../../lib/tensor/tensor.ts'
import { node, type OperatorModel } from './operator-model.ts'

const tensor = z
  .object({ dims: z.array(z.number()), values: z.array(z.number()) })
  .transform(({ dims, values }): FloatTensor => float32(values, dims))
const layer = z.union([
  z.object({ kind: z.literal('conv'), w: tensor, b: tensor, pad: z.number(), stride: z.number() }),
  z.object({ kind: z.literal('linear'), w: tensor, b: tensor }),
  z.object({ kind: z.literal('norm'), scale: tensor, bias: tensor, mean: tensor, variance: tensor }),
  z.object({ kind: z.enum(['max', 'mean']), size: z.number() }),
  z.object({ kind: z.enum(['ReLU', 'Tanh', 'Sigmoid', 'Softplus', 'ELU', 'LeakyReLU']) }),
])
const chain = {
  name: z.string(),
  layers: z.array(layer),
  skips: z.array(z.tuple([z.number(), z.number()])),
  x: tensor,
  expected: tensor,
}
const goldens = z.object({
  deepLift: z.array(z.object({ ...chain, reference: tensor })),
  lrp: z.array(z.object({ ...chain, rules: z.array(z.tuple([z.number(), z.enum(['epsilon', 'gamma']), z.number()])) })),
})

export type Chain = z.output<typeof goldens>['deepLift'][number] | z.output<typeof goldens>['lrp'][number]

export function captumGoldens(): z.output<typeof goldens> {
  return goldens.parse(JSON.parse(readFileSync('test/fixtures/onnx/captum-goldens.json', 'utf8')))
}

const ints = (...value: number[]): Attribute => ({ kind: 'ints', value })
const OPERATORS = {
  ReLU: 'Relu',
  Tanh: 'Tanh',
  Sigmoid: 'Sigmoid',
  Softplus: 'Softplus',
  ELU: 'Elu',
  LeakyReLU: 'LeakyRelu',
}

/** Its input is `x`, the output of its n-th layer `layer n`. */
export function captumModel({ layers, skips, x }: Chain): OperatorModel {
  const nodes: GraphNode[] = []
  const constants = new Map<string, Constant>([['flat', intConstant([0, -1])]])
  let [value, flat] = ['x', false]
  for (const [at, one] of layers.entries()) {
    const weight = (name: string, { data, dims }: FloatTensor): string => {
      constants.set(`${name} ${at}`, floatConstant(data, dims))
      return `${name} ${at}`
    }
    const skip = skips.find(([place]) => place === at)
    const out = skip === undefined ? `layer ${at}` : `before ${at}`
    if (one.kind === 'linear' && !flat) {
      nodes.push(node('Reshape', [value, 'flat'], ['flattened']))
      ;[value, flat] = ['flattened', true]
    }
    if (one.kind === 'conv') {
      const attributes = { pads: ints(one.pad, one.pad, one.pad, one.pad), strides: ints(one.stride, one.stride) }
      nodes.push(node('Conv', [value, weight('w', one.w), weight('b', one.b)], [out], attributes))
    } else if (one.kind === 'linear')
      nodes.push(node('Gemm', [value, weight('w', one.w), weight('b', one.b)], [out], { transB: { kind: 'int', value: 1 } })) // prettier-ignore
    else if (one.kind === 'norm') {
      const operands = (['scale', 'bias', 'mean', 'variance'] as const).map((name) => weight(name, one[name]))
      nodes.push(node('BatchNormalization', [value, ...operands], [out]))
    } else if (one.kind === 'max' || one.kind === 'mean') {
      const window = { kernel_shape: ints(one.size, one.size), strides: ints(one.size, one.size) }
      nodes.push(node(one.kind === 'max' ? 'MaxPool' : 'AveragePool', [value], [out], window))
    } else
      nodes.push(node(OPERATORS[one.kind], [value], [out], one.kind === 'LeakyReLU' ? { alpha: { kind: 'float', value: 0.1 } } : {})) // prettier-ignore
    if (skip !== undefined) nodes.push(node('Add', [out, `layer ${skip[1]}`], [`layer ${at}`]))
    value = `layer ${at}`
  }
  const shape = ['rows', ...x.dims.slice(1)]
  return { nodes, inputs: [{ name: 'x', type: DataType.float, shape }], outputs: [value], constants }
}
