/**
 * The one contract that methods, metrics and pages are written against: a model is a graph that can be asked.
 *
 * Letters: N batch, C channels, H x W spatial extent, T tokens, E embedding size, K classes.
 * Whatever an engine uses inside, tensors that cross this contract are laid out [N, C, H, W] for spatial taps and
 * [N, T, E] for token taps; the image feed is [N, 3, H, W], already preprocessed as the model card says.
 */
import type { z } from 'zod'
import type { Tensor, FloatTensor, TensorType } from '../tensor/tensor.ts'
import type { Formula } from './formula.ts'
import type { Link, LinkBasis } from './head.ts'
import type { Refusal } from './refusal.ts'
import type { TapId } from './tap-id.ts'

export type TapKind =
  | 'input'
  | 'output'
  | 'conv'
  | 'linear'
  | 'activation'
  | 'norm'
  | 'pool'
  | 'embedding'
  | 'attention'
  | 'add'
  | 'concat'
  | 'other'

/** Tokens row by row over the picture, behind `leading` others (class and register tokens). */
export interface TokenGrid {
  readonly rows: number
  readonly columns: number
  readonly leading: number
}

/** A tensor one may name in a question. */
export interface Tap {
  readonly id: TapId
  /** What a person recognises: the exporter's module name. */
  readonly label: string
  readonly kind: TapKind
  /** The operator that makes it (ONNX op_type or Keras class name); '' for inputs. */
  readonly operator: string
  /** Shape at batch 1; null where it depends on the input (the batch axis included). */
  readonly shape: readonly (number | null)[]
  /** [N, C, H, W] with H * W > 1: CAM methods can be asked here. */
  readonly spatial: boolean
  /**
   * Where its tokens [N, T, E] lie on a grid over the picture; missing where they do not, or where that is not known. A map of
   * such tokens has it too.
   */
  readonly grid?: TokenGrid
  /**
   * For a map that is another tap seen as one: tokens on a grid, those that lie on it alone, or channels last. It is read,
   * replaced and differentiated as [N, C, H, W]; where it is replaced, tokens beside the grid stay what the feeds make them.
   */
  readonly mapOf?: TapId
  /**
   * For attention weights, whose rows over the last axis sum to 1 (0 where no key is open): what the tokens look at. 'self' is
   * [N, heads, T, T], the tokens of their own sequence, in the order of the layers; 'cross' [N, heads, T, S], those of another
   * one, or fewer or more than they are; 'local' [N windows, heads, T, T], those of their window of a picture.
   */
  readonly looksAt?: 'self' | 'cross' | 'local'
  /** For people: what it leaves out. */
  readonly note?: string
  /** True where a gradient of the output exists with respect to this tap; else `reason` says which operators lack a rule. */
  readonly differentiable: boolean
  readonly reason?: string
}

/** One of a model's inputs, as its file states it. */
export interface ModelInput {
  readonly name: string
  readonly type: TensorType
  /** null for an axis of any extent; left out where not even the number of axes is stated. */
  readonly dims?: readonly (number | null)[]
}

/** One of the engine's rule sets and its parameters; what is left out has the schema's defaults. */
interface RuleChoice {
  readonly id: string
  readonly params?: Readonly<Record<string, unknown>>
}

/**
 * Backward rules that replace the plain ones, as a value: 'plain', bent ReLUs, DeepLIFT's multipliers, LRP ...
 * `model.ruleSets` says which there are.
 */
export interface RuleSet extends RuleChoice {
  /**
   * Another choice for the operator that makes a tap. Without an id it is the same rule set, and what its `params` leave out
   * is as around it.
   */
  readonly byTap?: Readonly<Record<TapId, Partial<RuleChoice>>>
  readonly reference?: Reference
}

/**
 * What a second forward pass starts from, beside which multipliers are differences. It is the question's own pass with these
 * inputs and taps in place of its own; each has one row, or one for each row of the question.
 */
export interface Reference {
  readonly feeds?: Readonly<Record<string, Tensor>>
  readonly from?: Readonly<Record<TapId, FloatTensor>>
}

/** What an engine says of a rule set that it has. */
export interface RuleSetInfo {
  readonly id: string
  readonly summary: string
  /** A strict object, every field with a default. */
  readonly params: z.ZodObject
  /** Whether a question must state a {@link Reference}; where it need not, it must not. */
  readonly needsReference: boolean
}

/**
 * A scalar a row: sum over outputs of <weights, output>. Weights are a tensor of their output's shape ([N, K]), or a formula
 * whose result widens to that shape: of values of taps, of the question's given tensors and of numbers, never of gradients.
 * A scalar that is not linear in the outputs is stated by its derivative: of the probability p_c that is p_c (onehot_c - p),
 * and what is predicted is `oneHotArgmax` of the logits. Weights count as constants: nothing is differentiated through them.
 */
export type Cotangent = Readonly<Record<TapId, FloatTensor | Formula>>

/** Arithmetic around the model, done in the same run. */
export interface Formulas {
  /** Tensors that formulas name and that are the same for every row: [1, ...]. */
  readonly shared?: Readonly<Record<string, FloatTensor>>
  /** Tensors that formulas name, with a row for each row of the batch: [N, ...]. */
  readonly perRow?: Readonly<Record<string, FloatTensor>>
  /** Model inputs and replaced taps that are computed, from given tensors only. */
  readonly inputs?: Readonly<Record<TapId, Formula>>
  /** What to compute of values, gradients and given tensors; answered under the same names. */
  readonly outputs?: Readonly<Record<string, Formula>>
}

export interface Question {
  /** Every model input by name. Leave out inputs that lie wholly before replaced taps. */
  readonly feeds?: Readonly<Record<string, Tensor>>
  /** Replaced taps: the run starts there, and only what lies behind them is computed. */
  readonly from?: Readonly<Record<TapId, FloatTensor>>
  /** Tensors whose value to return (outputs are taps too). */
  readonly read: readonly TapId[]
  readonly gradient?: {
    readonly of: Cotangent
    /** Where the gradient is answered; where only formulas read it, it need not be named. */
    readonly wrt: readonly TapId[]
    /** Left out: the plain rules. */
    readonly rules?: RuleSet
  }
  readonly formulas?: Formulas
}

export interface Answer {
  readonly values: Readonly<Record<TapId, FloatTensor>>
  /** d(scalar of row n) / d(tap), in the tap's shape, row by row. */
  readonly gradients: Readonly<Record<TapId, FloatTensor>>
  /** The question's `formulas.outputs`, each in the shape that its formula has. */
  readonly computed: Readonly<Record<string, FloatTensor>>
}

/** Which engine answers, on what: shown to users as `models { engine { name backend reason } }`. */
export interface EngineInfo {
  readonly name: 'onnx' | 'tfjs'
  /** 'cpu', 'cuda', 'tensorflow', 'wasm', ... */
  readonly backend: string
  readonly version: string
  /** Why this backend, and what was wrong with faster ones; '' when it was the first choice. */
  readonly reason: string
}

/** A constant that a model adds to a tensor, whatever it is fed: a bias, or the shift of a normalisation in evaluation. */
export interface LayerBias {
  /** What it is added to, once it is. */
  readonly tap: TapId
  /** [1, ...], widens to the tap's shape. */
  readonly value: FloatTensor
}

/** A model as it would be had its last layers learnt nothing: a sanity check of methods. */
export interface RandomWeights {
  /** Of the layers with weights, counted from the output: 0 is none, 1 all. */
  readonly share: number
  /** Draws of mean 0 and deviation 1 for a layer, counted from the input. */
  readonly normal: (layer: number) => () => number
}

export interface ExplainableModel {
  readonly engine: EngineInfo
  /** In graph order. */
  readonly taps: readonly Tap[]
  /** Names of the model's inputs, in order. */
  readonly inputs: readonly string[]
  /** What the file says of each of them, in the same order; left out where that is no more than their names. */
  readonly inputInfo?: readonly ModelInput[]
  /**
   * True where a row's answer would depend on the rows beside it, as in dynamic quantisation. Such a model is asked row by row,
   * so no answer does; what it rounds, and so how smooth it is, is still another thing for each input.
   */
  readonly batchDependent?: boolean
  /** What `gradient.rules` may name; 'plain' always. */
  readonly ruleSets: readonly RuleSetInfo[]
  /** The tap that holds the scores before the link, [N, K]: of one score for two labels, both are made, -z and z. */
  readonly logits: TapId
  /** How the logits become the model's probabilities. */
  readonly link: Link
  readonly linkBasis: LinkBasis
  /** The sensible default for this model: last spatial map of a CNN; word embedding of a text model. */
  readonly defaultTap: TapId
  /**
   * The weights [K, C] and bias [K] of the linear head, where the logits are exactly linear(globalAveragePool(tap));
   * null for other heads or other taps. Plain CAM needs it.
   */
  linearHead(tap: TapId): Promise<LinearHead | null>
  /**
   * Where a rule set has no way back from the logits, beyond what taps say of the plain rules: what asking would refuse. Left out
   * by engines whose rule sets refuse no more than the plain rules do.
   */
  refusals?(rules: RuleSetInfo['id']): Promise<readonly Refusal[]>
  /**
   * Every constant that is added on the way to the logits, in graph order. Where all else is piecewise linear, as in a network
   * of ReLUs, a score is <dS/dx, x> + the sum of <dS/d tap, bias> over them (Srinivas and Fleuret 2019, proposition 1). Left
   * out where an engine cannot tell.
   */
  layerBiases?(): Promise<readonly LayerBias[]>
  /**
   * Answers a question with one run where the engine can. Mutates nothing; the same question gives identical bytes.
   * @throws AppError UNKNOWN_LAYER for a tap the model has not, NOT_DIFFERENTIABLE, BAD_INPUT for wrong shapes,
   *   BAD_PARAMETER for a rule set that the engine has not or whose parameters do not fit, CANCELLED when the signal was
   *   aborted.
   */
  ask(question: Question, signal?: AbortSignal): Promise<Answer>
  /** Releases native memory. Idempotent. */
  dispose(): Promise<void>
}

export interface LinearHead {
  /** [K, C] */
  readonly weights: FloatTensor
  /** [K] */
  readonly bias: FloatTensor
}
