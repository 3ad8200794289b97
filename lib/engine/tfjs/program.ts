/**
 * A LayersModel as a flat list of steps: nested models are opened, activations split off, every layer output named.
 * TensorFlow.js' own `predict` hides what lies inside; this list can be cut, read and differentiated anywhere.
 */
import * as tf from '@tensorflow/tfjs'
import type { Link, LinkBasis, StatedHead } from '../head.ts'
import type { TapId } from '../tap-id.ts'
import { findHead, type Head } from './head.ts'
import { activationRun, DerivedWeights, layerParts, type Layer, type LinearPart, type Run } from './layer-parts.ts'

/** Index of a value of the program. */
export type Slot = number
type Shape = readonly (number | null)[]

export interface SlotInfo {
  /** As TensorFlow.js lays it out: [N, H, W, C] for maps. */
  readonly shape: Shape
  readonly dtype: tf.DataType
}

export interface Step {
  /** The layer's path. */
  readonly name: string
  /** Keras class name, or 'Activation'. */
  readonly operator: string
  readonly inputs: readonly Slot[]
  readonly outputs: readonly Slot[]
  readonly run: Run
  readonly linear: LinearPart | null
  /** The layer whose masks to pass on; null for steps that pass them on as they are. */
  readonly layer: Layer | null
}

interface NamedSlot {
  readonly id: TapId
  readonly slot: Slot
  readonly operator: string
}

export interface Program {
  readonly inputs: readonly { readonly name: string; readonly slot: Slot }[]
  readonly slots: readonly SlotInfo[]
  readonly steps: readonly Step[]
  /** In graph order. */
  readonly named: readonly NamedSlot[]
  /** [N, K] */
  readonly logits: NamedSlot
  readonly link: Link
  readonly linkBasis: LinkBasis
  readonly outputs: readonly Slot[]
  /** False for models in Keras' channels_first layout: their maps are [N, C, H, W] already. */
  readonly channelsLast: boolean
  /** True when a Masking or Embedding layer makes masks. */
  readonly masked: boolean
  readonly derived: DerivedWeights
}

type Nested = Layer & Pick<tf.LayersModel, 'layers' | 'inputs' | 'outputs'>

function isNested(layer: Layer): layer is Nested {
  return layer instanceof tf.LayersModel
}

/** `outer/inner/layer`, from the model down; the model itself is not named. */
function pathsOf(model: Nested, prefix = '', paths = new Map<Layer, string>()): Map<Layer, string> {
  for (const layer of model.layers) {
    const path = prefix + layer.name
    if (!paths.has(layer)) paths.set(layer, path)
    if (isNested(layer)) pathsOf(layer, `${path}/`, paths)
  }
  return paths
}

class Compiler {
  readonly slots: SlotInfo[] = []
  readonly steps: Step[] = []
  readonly named: NamedSlot[] = []
  readonly derived = new DerivedWeights()
  channelsLast = true
  masked = false
  private readonly parts = new Map<Layer, { run: Run; activation: string; linear: LinearPart | null }>()
  private readonly activations = new Map<string, Layer>()
  private readonly ids = new Map<string, number>()
  private readonly linearActivation = (this.activationLayer('linear') as unknown as { activation: unknown }).activation

  constructor(private readonly paths: ReadonlyMap<Layer, string>) {}

  slot(shape: Shape, dtype: tf.DataType): Slot {
    return this.slots.push({ shape, dtype }) - 1
  }

  name(path: string, slot: Slot, operator: string): NamedSlot {
    const uses = (this.ids.get(path) ?? 0) + 1
    this.ids.set(path, uses)
    // A layer that is used twice has two outputs.
    const named = { id: uses === 1 ? path : `${path}#${uses}`, slot, operator }
    this.named.push(named)
    return named
  }

  private activationLayer(name: string): Layer {
    const found = this.activations.get(name)
    if (found !== undefined) return found
    const made = tf.layers.activation({ activation: name as 'linear' })
    this.activations.set(name, made)
    return made
  }

  /** The slot of a symbolic tensor; `known` holds those of this call of the (nested) model. */
  resolve(symbolic: tf.SymbolicTensor, known: Map<number, Slot>): Slot {
    const found = known.get(symbolic.id)
    if (found !== undefined) return found
    const layer = symbolic.sourceLayer
    const node = layer.inboundNodes[symbolic.nodeIndex]
    if (node === undefined || node.inputTensors.length === 0 || layer.getClassName() === 'InputLayer')
      throw new Error(`${symbolic.name} comes from nowhere`)
    const inputs = node.inputTensors.map((input) => this.resolve(input, known))
    const outputs = isNested(layer) ? this.open(layer, inputs) : this.append(layer, inputs, node.outputTensors)
    node.outputTensors.forEach((output, index) => {
      const slot = outputs[index]
      if (slot !== undefined) known.set(output.id, slot)
    })
    const made = known.get(symbolic.id)
    if (made === undefined) throw new Error(`${symbolic.name} is not made by its layer`)
    return made
  }

  private open(model: Nested, inputs: readonly Slot[]): Slot[] {
    const known = new Map<number, Slot>()
    model.inputs.forEach((input, index) => {
      const slot = inputs[index]
      if (slot !== undefined) known.set(input.id, slot)
    })
    return model.outputs.map((output) => this.resolve(output, known))
  }

  private append(layer: Layer, inputs: readonly Slot[], symbolic: readonly tf.SymbolicTensor[]): Slot[] {
    const path = this.paths.get(layer) ?? layer.name
    const operator = layer.getClassName()
    const config: Readonly<Record<string, unknown>> = layer.getConfig()
    if (config['dataFormat'] === 'channelsFirst') this.channelsLast = false
    if (operator === 'Masking' || config['maskZero'] === true) this.masked = true
    let parts = this.parts.get(layer)
    if (parts === undefined) {
      parts = layerParts(layer, this.derived, this.linearActivation)
      this.parts.set(layer, parts)
    }
    const info = symbolic.map(({ shape, dtype }) => ({ shape, dtype }))
    const outputs = info.map(({ shape, dtype }) => this.slot(shape, dtype))
    let made = outputs
    if (parts.activation !== 'linear') {
      // The linear part gets slots of its own; the layer's name stays with what the layer puts out.
      const pure = operator === 'Activation' || operator === 'ReLU' || operator === 'Softmax'
      made = pure ? [...inputs] : info.map(({ shape, dtype }) => this.slot(shape, dtype))
      if (!pure)
        this.steps.push({ name: path, operator, inputs, outputs: made, run: parts.run, linear: parts.linear, layer })
      const run = activationRun(parts.activation, (name) => this.activationLayer(name))
      this.steps.push({
        name: path,
        operator: `${operator}:${parts.activation}`,
        inputs: made,
        outputs,
        run,
        linear: null,
        layer: null,
      })
    } else this.steps.push({ name: path, operator, inputs, outputs, run: parts.run, linear: parts.linear, layer })
    outputs.forEach((slot, index) => this.name(index === 0 ? path : `${path}:${index}`, slot, operator))
    return outputs
  }
}

/** A head as a tap: under the name of the layer that makes it, where it has one. */
function nameHead(compiler: Compiler, { slot, owner }: Head): NamedSlot {
  const named = compiler.named.find((candidate) => candidate.slot === slot)
  const producer = compiler.steps.find(({ outputs }) => outputs.includes(slot))
  return named ?? compiler.name(owner === '' ? 'logits' : `${owner}/logits`, slot, producer?.operator ?? '')
}

/**
 * Compiles a loaded model. The model must not be used by anyone else afterwards: activations are taken off its layers.
 * @param stated what the model's card says of its head
 * @throws AppError BAD_MODEL when it is no classifier, or none that fits the card.
 */
export function compile(model: tf.LayersModel, stated?: StatedHead): Program {
  const compiler = new Compiler(pathsOf(model))
  const known = new Map<number, Slot>()
  const inputs = model.inputs.map((symbolic) => {
    const slot = compiler.slot(symbolic.shape, symbolic.dtype)
    known.set(symbolic.id, slot)
    return { name: compiler.name(symbolic.sourceLayer.name, slot, '').id, slot }
  })
  const outputs = model.outputs.map((symbolic) => compiler.resolve(symbolic, known))
  const named = outputs.map((slot, index) => ({ slot, name: model.outputNames[index] ?? String(index) }))
  const head = findHead(compiler, named, stated)
  const logits = nameHead(compiler, head)
  const { slots, steps, channelsLast, masked, derived } = compiler
  const order = new Map(steps.flatMap((step, index) => step.outputs.map((slot) => [slot, index] as const)))
  const { link, linkBasis } = head
  const inOrder = compiler.named.toSorted((a, b) => (order.get(a.slot) ?? -1) - (order.get(b.slot) ?? -1))
  return { inputs, slots, steps, named: inOrder, logits, link, linkBasis, outputs, channelsLast, masked, derived }
}
