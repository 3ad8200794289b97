/** What the engine knows of an operator: a row of the table (`table.ts`). */
import type { TapKind } from '../../model.ts'
import type { Graph, GraphNode } from '../graph/graph.ts'
import type { AddedBy } from './added.ts'
import type { Step } from './head-steps.ts'
import type { KindOf } from './kinds.ts'
import type { LayoutRule } from './layouts.ts'
import type { InputAxes } from './positions.ts'
import type { Picks } from './picks.ts'
import type { RuleEntry } from './rules/rule.ts'
import type { SizeOf } from './sizes.ts'

export type Kept =
  | 'order' // every number where it was: what may change is the shape
  | 'moved' // every number: axes may change places
  | 'repeated' // every number, once or several times
  | 'type' // every number, as far as another element type has it
  | 'rounded' // every number on another scale, rounded to it

/** A word of mathematics; several operators may compute one thing. Along axes where it is said so, else number by number. */
export type Computation =
  | 'sum'
  | 'difference'
  | 'product'
  | 'quotient'
  | 'power'
  | 'inverse'
  | 'negative'
  | 'exponential'
  | 'logarithm'
  | 'tanh'
  | 'sigmoid'
  | 'softplus'
  | 'softmax' // along one axis
  | 'log-softmax' // along one axis
  | 'total' // along axes
  | 'total-of-sizes' // along axes: of absolute values
  | 'log-total-of-exponentials' // along axes
  | 'share-of-norm' // along one axis: x / (sum of |x|^p)^(1/p)

/** Everything left out is no. An operator without a row is run as it is, and no gradient passes it. */
export interface Operator {
  /** Its gradient. */
  readonly rule?: RuleEntry
  /** The operator of ai.onnx that it is under another name: rule sets have a row for that one. */
  readonly sameAs?: string
  /** It makes floats whose derivative is zero wherever it exists: the gradient stops, rightly. */
  readonly stops?: true
  /** The rule holds for quantised integers too: it moves values, adds them, or changes their type. */
  readonly holdsForIntegers?: true

  /** What a person takes its output for; a function where its operands decide. */
  readonly kind?: TapKind | KindOf
  /** Through it a feature map [N, C, H, W] stays one, though its extents may change. */
  readonly keepsMap?: true
  readonly makesMap?: true
  /** Where the places of a picture lie in its output, for an operator that moves them about or leaves some out. */
  readonly layout?: LayoutRule
  /** It reads some positions of an axis and no others. */
  readonly picks?: Picks

  /** Linear (or affine) in the one operand that depends on a model's input, the others being weights. */
  readonly linear?: true
  /** A function of single numbers: y = f(x), its further operands (a slope, an exponent, bounds) being weights. */
  readonly pointwise?: true
  /** Every value of the result comes of the operands' values at its place, broadcast. */
  readonly elementwise?: true
  /** For an operator that is not elementwise and still treats positions along some axes one by one. */
  readonly inputAxes?: InputAxes
  /** What of its first operand is left in its output, and nothing else is in it. */
  readonly keeps?: Kept
  /** It moves no number but those beyond a bound, which its other operands state: below, above, or both in that order. */
  readonly bounds?: 'below' | 'above' | 'both'
  /** What it computes, where functions are looked for that files spell in several operators. */
  readonly computes?: Computation
  /** Every value is one of its second or of its third operand: the first one says which. */
  readonly chooses?: true
  /** It reads whole rows of its first input, at the places that its second one says. */
  readonly readsRows?: true
  /** The input from which on places in another input are read. */
  readonly places?: number

  /** The inputs that may hold what a layer has learnt (a kernel, a matrix, a table), the likeliest first. */
  readonly weights?: readonly number[]
  /** What it adds to what it reads, where that is known before the run. */
  readonly adds?: AddedBy
  /** How a linear head goes through it. */
  readonly headStep?: Step

  /** Products of numbers that it sums: what it takes, beside reading and writing. */
  readonly products?: (graph: Graph, node: GraphNode) => number
  /** It goes over its input with a window, `kernel_shape`. */
  readonly window?: true
  /** It looks at shapes and reads no values. */
  readonly readsShape?: true
  /** Its output may be larger than all it reads: nobody runs it before its size is known. */
  readonly enlarges?: true
  /** What sets its output's size where that is known during the run only. */
  readonly size?: SizeOf
  /** Its result for one row of a batch depends on the others: a scale is that of the whole tensor. */
  readonly mixesRows?: true
  /** Two runs differ: its result is no constant. */
  readonly random?: true
  /** It holds graphs, and nobody knows the sizes in them. */
  readonly subgraphs?: true
  /** It reads or makes a sequence or an optional, which have no shape. */
  readonly sequences?: true

  /** The operator set in which its present form came; older forms are rewritten (`prepare/upgrade.ts`). */
  readonly since?: number
  /** Its output's element type is that of the input at this place, 0 where left out; null where the node names it. */
  readonly typeFrom?: number | null
}
