/** The taps of a program: every layer's output under the layer's path, with shape, kind, and whether it has a gradient. */
import { sizeOf } from '../../tensor/tensor.ts'
import type { Tap, TapKind } from '../model.ts'
import type { TapId } from '../tap-id.ts'
import { outerShape } from './layout.ts'
import type { Program, Slot } from './program.ts'

const KINDS: Readonly<Record<string, TapKind>> = {
  '': 'input',
  Conv1D: 'conv',
  Conv2D: 'conv',
  Conv3D: 'conv',
  Conv2DTranspose: 'conv',
  Conv3DTranspose: 'conv',
  SeparableConv2D: 'conv',
  DepthwiseConv2D: 'conv',
  ConvLSTM2D: 'conv',
  Dense: 'linear',
  EinsumDense: 'linear',
  Activation: 'activation',
  ReLU: 'activation',
  LeakyReLU: 'activation',
  PReLU: 'activation',
  ELU: 'activation',
  ThresholdedReLU: 'activation',
  Softmax: 'activation',
  BatchNormalization: 'norm',
  LayerNormalization: 'norm',
  Embedding: 'embedding',
  PositionEmbedding: 'embedding',
  MultiHeadAttention: 'attention',
  Add: 'add',
  Average: 'add',
  Concatenate: 'concat',
}

function kindOf(operator: string): TapKind {
  return KINDS[operator] ?? (operator.includes('Pooling') ? 'pool' : 'other')
}

/** Layers that no gradient passes: they look their input up, count it or cut it into classes. */
const WITHOUT_GRADIENT = new Set(['Embedding', 'CategoryEncoding'])

/** For each slot on the way to the logits: the operators without a gradient between it and them. */
function obstacles(program: Program): Map<Slot, ReadonlySet<string>> {
  const found = new Map<Slot, Set<string>>([[program.logits.slot, new Set()]])
  for (const step of program.steps.toReversed()) {
    const behind = step.outputs.flatMap((slot) => found.get(slot) ?? [])
    if (behind.length === 0) continue
    const own = step.operator.split(':')[0] ?? ''
    for (const slot of step.inputs) {
      const names = found.get(slot) ?? new Set()
      behind.forEach((set) => set.forEach((name) => names.add(name)))
      if (WITHOUT_GRADIENT.has(own)) names.add(own)
      found.set(slot, names)
    }
  }
  return found
}

/** In graph order. */
export function tapsOf(program: Program): Tap[] {
  const obstacle = obstacles(program)
  const behind = (id: TapId): string =>
    program.steps.length === 0 ? '' : `Nothing leads from ${id} to the logits (${program.logits.id}).`
  return program.named.map(({ id, slot, operator }) => {
    const info = program.slots[slot]
    const shape = outerShape(info?.shape ?? [], program.channelsLast)
    const [, , height, width] = shape
    const isOutput = program.outputs.includes(slot) || slot === program.logits.slot
    const names = obstacle.get(slot)
    const differentiable = names?.size === 0
    const reason = names === undefined ? behind(id) : `No gradient passes ${[...names].join(', ')}.`
    return {
      id,
      label: id,
      kind: isOutput && operator !== '' ? 'output' : kindOf(operator),
      operator,
      shape,
      spatial: shape.length === 4 && sizeOf([height ?? 2, width ?? 2]) > 1,
      differentiable,
      ...(differentiable ? {} : { reason }),
    }
  })
}

/** The last map a CAM can be asked at; else the first embedding; else the first input. */
export function sensibleDefault(taps: readonly Tap[]): TapId {
  const maps = taps.filter(({ spatial, differentiable, kind }) => spatial && differentiable && kind !== 'input')
  const chosen = maps.at(-1) ?? taps.find(({ kind }) => kind === 'embedding') ?? taps[0]
  return chosen?.id ?? ''
}
