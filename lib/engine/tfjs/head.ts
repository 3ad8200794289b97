/** A LayersModel's head: the output that holds its class scores, the scores before the link, and both as [N, K]. */
import * as tf from '@tensorflow/tfjs'
import { AppError } from '../../errors.ts'
import {
  chooseOutput,
  classesIn,
  settleLink,
  type Link,
  type LinkBasis,
  type OutputHead,
  type StatedHead,
} from '../head.ts'
import type { SlotInfo, Slot, Step } from './program.ts'

/** Steps so far, and where a head adds its own. */
export interface Steps {
  readonly steps: Step[]
  readonly slots: readonly SlotInfo[]
  slot(shape: SlotInfo['shape'], dtype: tf.DataType): Slot
}

export interface Head {
  readonly slot: Slot
  /** The layer that makes the scores; '' where nothing does. */
  readonly owner: string
  readonly link: Link
  readonly linkBasis: LinkBasis
}

const LINK_OF: Readonly<Record<string, Link>> = { softmax: 'softmax', logSoftmax: 'softmax', sigmoid: 'sigmoid' }

/** Layers that change nothing but the shape. */
const KEEPS_VALUES = new Set([
  'Reshape',
  'Flatten',
  'Dropout',
  'SpatialDropout1D',
  'GaussianNoise',
  'GaussianDropout',
  'AlphaDropout',
  'Activation',
])

interface Candidate extends OutputHead {
  readonly scores: Slot
  readonly owner: string
}

class HeadReader {
  readonly #steps: Steps
  readonly #producers: ReadonlyMap<Slot, Step>

  constructor(steps: Steps) {
    this.#steps = steps
    this.#producers = new Map(steps.steps.flatMap((step) => step.outputs.map((slot) => [slot, step] as const)))
  }

  shape(slot: Slot): SlotInfo['shape'] {
    return this.#steps.slots[slot]?.shape ?? []
  }

  /** A permutation that moves axes of one element only. */
  #movesNothing({ operator, inputs, layer }: Step): boolean {
    if (operator !== 'Permute' || layer === null) return false
    const [input = -1] = inputs
    const shape = this.shape(input)
    const moved = (layer.getConfig()['dims'] as readonly number[]).filter((axis) => shape[axis] !== 1)
    return moved.every((axis, place) => axis >= (moved[place - 1] ?? 0))
  }

  /** TensorFlow.js' softmax runs along the last axis. */
  #linkOf(step: Step | undefined): Link | null {
    const [, activation = ''] = step?.operator.split(':') ?? []
    const shape = this.shape(step?.inputs[0] ?? -1)
    const link = LINK_OF[activation] ?? null
    return link === 'softmax' && shape.at(-1) !== classesIn(shape) ? null : link
  }

  /** An output with the link that makes it, behind layers that keep values. */
  candidate(name: string, output: Slot): Candidate {
    const shape = this.shape(output)
    let at = this.#producers.get(output)
    while (at !== undefined && (KEEPS_VALUES.has(at.operator) || this.#movesNothing(at)))
      at = this.#producers.get(at.inputs[0] ?? -1)
    const link = this.#linkOf(at)
    const before = at?.inputs[0]
    const owner = at?.name ?? ''
    return link === null || before === undefined
      ? { name, shape, scores: output, link: null, owner }
      : { name, shape, scores: before, link, owner }
  }
}

/** Puts a step behind the scores. */
function behind(
  steps: Steps,
  { slot, owner }: Pick<Head, 'slot' | 'owner'>,
  step: Pick<Step, 'operator' | 'run' | 'linear'>,
  classes: number,
): Slot {
  const made = steps.slot([null, classes], 'float32')
  steps.steps.push({ name: `${owner}/logits`, inputs: [slot], outputs: [made], layer: null, ...step })
  return made
}

/**
 * @param outputs the model's, by name
 * @param stated what the card says; left out, the first output is taken
 * @throws AppError BAD_MODEL where no output holds class scores, several do, or the card contradicts the graph
 */
export function findHead(
  steps: Steps,
  outputs: readonly { readonly name: string; readonly slot: Slot }[],
  stated?: StatedHead,
): Head {
  const reader = new HeadReader(steps)
  const candidates = outputs.map(({ name, slot }) => reader.candidate(name, slot))
  const [first] = candidates
  if (first === undefined) throw new Error('a model without an output')
  const output = stated === undefined ? first : chooseOutput(candidates, stated)
  const taken = outputs.find(({ name }) => name === output.name)?.slot ?? output.scores
  const asItIs = stated?.link === 'none'
  const scores = asItIs ? taken : output.scores
  const shape = reader.shape(scores)
  const classes = classesIn(shape)
  if (typeof classes !== 'number' || shape.length < 2)
    throw new AppError({
      code: 'BAD_MODEL',
      message: `the output has the shape [${shape.map((dim) => dim ?? 'N').join(', ')}], not [N, classes]`,
      userMessage: 'This model does not put out one score a class, so it is no classifier that Limelight can explain.',
    })
  const { pair, ...settled } = settleLink(asItIs ? null : output.link, classes, stated)
  const { owner } = output
  let slot = scores
  if (shape.length > 2)
    slot = behind(
      steps,
      { slot, owner },
      {
        operator: 'Reshape',
        run: (inputs) => inputs.map((input) => tf.reshape(input, [-1, classes])),
        linear: { kind: 'reshape' },
      },
      classes,
    )
  if (pair)
    slot = behind(
      steps,
      { slot, owner },
      {
        operator: 'Concatenate',
        run: (inputs) => inputs.map((input) => tf.concat([tf.neg(input), input], 1)),
        linear: { kind: 'pair' },
      },
      2,
    )
  return { slot, owner, ...settled }
}
