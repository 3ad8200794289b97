/** A question -> one ONNX graph: cut between what is given and what is asked, gradient and formula nodes behind it. */
import { leavesOf, type Formula } from '../../formula.ts'
import { Builder } from '../graph/builder.ts'
import { describeInputs } from './compiled-inputs.ts'
import type { Bending } from '../gradient/bending.ts'
import { cotangentName, differentiate, type GradientGraph } from '../gradient/differentiate.ts'
import { writeFormula } from './formula.ts'
import { withMaps } from './map-views.ts'
import { referencePass } from './reference-pass.ts'
import { selectEarly } from './select-early.ts'
import { readsOf, type Graph, type GraphNode } from '../graph/graph.ts'
import { neededNodes } from '../graph/walks.ts'

/** What formulas read and make: shapes and names, not values. */
export interface FormulaPlan {
  /** Given tensor -> its shape, the first axis null where it is the batch's rows. */
  readonly given: Readonly<Record<string, readonly (number | null)[]>>
  /** Computed before the model, in place of an input or tap. */
  readonly inputs: Readonly<Record<string, Formula>>
  /** Computed between the model's nodes and the gradient's: the weights of an output in the scalar. */
  readonly cotangents: Readonly<Record<string, Formula>>
  readonly outputs: Readonly<Record<string, Formula>>
}

export const NO_FORMULAS: FormulaPlan = { given: {}, inputs: {}, cotangents: {}, outputs: {} }

/** The part of a question that decides its graph: names, not values. */
export interface QuestionPlan {
  readonly replaced: readonly string[]
  readonly read: readonly string[]
  readonly of: readonly string[]
  readonly wrt: readonly string[]
  readonly rules: Bending
  readonly formulas: FormulaPlan
}

export interface CompiledGraph {
  readonly graph: Graph
  /** What the graph reads: model inputs and replaced taps by their own names. */
  readonly feeds: readonly string[]
  /** Output -> graph input for its cotangent; those that formulas compute are missing. */
  readonly cotangents: ReadonlyMap<string, string>
  /** Tensor that formulas name -> graph input. */
  readonly given: ReadonlyMap<string, string>
  /** Input or tap -> graph input for its value in the reference pass. */
  readonly references: ReadonlyMap<string, string>
  /** Tap -> graph output; taps that are given themselves are missing. */
  readonly reads: ReadonlyMap<string, string>
  readonly gradients: ReadonlyMap<string, string>
  /** Formula's name -> graph output. */
  readonly computed: ReadonlyMap<string, string>
  /** Graph inputs that must have as many rows as each other; empty where the graph assumes no such thing. */
  readonly sameRows: readonly string[]
}

const NO_REFERENCES = { references: [] as readonly string[] }

/** @throws AppError NOT_DIFFERENTIABLE */
export function compileQuestion(model: Graph, plan: QuestionPlan): CompiledGraph {
  const before = computedInputs(model, plan)
  const wrt = differentiatedTaps(plan)
  const replaced = new Set([...plan.replaced, ...before.made])
  const { references } = wrt.length > 0 ? plan.rules : NO_REFERENCES
  const named = tensorsNamed(plan)
  const whole = withMaps(model, new Set([...replaced, ...plan.of, ...wrt, ...references]), new Set(named))
  const kept = [...named, ...named.flatMap((name) => model.maps?.get(name)?.of ?? [])]
  const graph = selectEarly(whole, new Set(kept))
  const fed = new Set(
    [...plan.replaced, ...graph.inputs.map((one) => one.name)].filter((name) => !before.made.has(name)),
  )
  const weights = computedCotangents(graph, plan, before.given)
  const [of = ''] = plan.of
  const rows = weights.names.get(of) ?? cotangentName(of)
  const reference = referencePass(graph, { references, replaced, rows })
  const gradient: GradientGraph =
    wrt.length > 0
      ? differentiate(graph, {
          of: plan.of,
          computed: weights.names,
          wrt,
          rules: plan.rules,
          replaced,
          ...(references.length > 0 && { reference: (name: string) => reference.valueOf(name) }),
        })
      : { builder: new Builder(graph, 'limelight:'), cotangents: new Map(), gradients: new Map() }
  const { builder } = gradient
  const cotangentInputs = new Set(gradient.cotangents.values())
  const available = new Set([...fed, ...cotangentInputs, ...before.given.values(), ...reference.inputs.values()])
  /** An output of the graph must be made by a node of its own. */
  const asOutput = (name: string): string =>
    available.has(name) || builder.constants.has(name) || graph.constants.has(name)
      ? builder.op('Identity', [name])
      : name
  const gradients = new Map(plan.wrt.map((tap) => [tap, asOutput(gradient.gradients.get(tap) ?? '')]))
  const computed = new Map(
    Object.entries(plan.formulas.outputs).map(([name, formula]) => {
      const result = writeFormula(builder, formula, (leaf) => {
        if (leaf.kind === 'value') return leaf.tap
        return (leaf.kind === 'given' ? before.given.get(leaf.name) : gradient.gradients.get(leaf.tap)) ?? ''
      })
      return [name, asOutput(result)]
    }),
  )
  const reads = new Map(plan.read.filter((name) => !fed.has(name)).map((name) => [name, asOutput(name)]))
  const outputs = new Set([...reads.values(), ...gradients.values(), ...computed.values()])
  const own = graph.nodes.map((node) => withoutOutputs(node, replaced))
  const written = [...before.nodes, ...own, ...weights.builder.nodes, ...reference.nodes, ...builder.nodes]
  const nodes = neededNodes(written, outputs, available)
  const used = new Set(nodes.flatMap(readsOf))
  const needed = <Key>(names: ReadonlyMap<Key, string>) => new Map([...names].filter(([, name]) => used.has(name)))
  const cotangents = needed(gradient.cotangents)
  const given = needed(before.given)
  const compared = needed(reference.inputs)
  const feeds = [...fed].filter((name) => used.has(name))
  const constants = new Map(
    [
      ...graph.constants,
      ...before.constants,
      ...weights.builder.constants,
      ...reference.constants,
      ...builder.constants,
    ].filter(([name]) => used.has(name) && !fed.has(name) && !before.made.has(name)),
  )
  const made = [...before.made].filter((name) => used.has(name))
  const names = { feeds, made, cotangents, computed: needed(weights.names), given, references: compared }
  const { inputs, sameRows, stated } = describeInputs(graph, names, plan.formulas.given)
  const compiled: Graph = {
    ...graph,
    nodes,
    constants,
    inputs,
    stated: stated(builder.stated).filter((one) => used.has(one.name)),
    outputs: [...outputs].map((name) => ({ name, type: 0, shape: null })),
  }
  return { graph: compiled, feeds, cotangents, given, references: compared, reads, gradients, computed, sameRows }
}

/** A node with several outputs may be needed for one while another is replaced: that one gets a name nobody reads. */
function withoutOutputs(node: GraphNode, replaced: ReadonlySet<string>): GraphNode {
  if (!node.outputs.some((name) => replaced.has(name))) return node
  return { ...node, outputs: node.outputs.map((name) => (replaced.has(name) ? `limelight:replaced/${name}` : name)) }
}

/** Every tensor that a question names, more than once where it does. */
export function tensorsNamed(plan: QuestionPlan): readonly string[] {
  const wrt = differentiatedTaps(plan)
  const { references } = wrt.length > 0 ? plan.rules : NO_REFERENCES
  const made = Object.keys(plan.formulas.inputs)
  return [...plan.replaced, ...made, ...plan.read, ...plan.of, ...wrt, ...valuesIn(plan), ...references]
}

/** Taps whose gradient is needed: those asked for, and those that formulas read. */
function differentiatedTaps({ wrt, formulas }: QuestionPlan): readonly string[] {
  const read = Object.values(formulas.outputs).flatMap(leavesOf)
  return [...new Set([...wrt, ...read.flatMap((leaf) => (leaf.kind === 'gradient' ? [leaf.tap] : []))])]
}

function valuesIn({ formulas }: QuestionPlan): readonly string[] {
  const read = [...Object.values(formulas.cotangents), ...Object.values(formulas.outputs)].flatMap(leavesOf)
  return read.flatMap((leaf) => (leaf.kind === 'value' ? [leaf.tap] : []))
}

interface ComputedInputs {
  /** In front of the model's nodes. */
  readonly nodes: readonly GraphNode[]
  readonly constants: Graph['constants']
  /** Tensor that formulas name -> graph input. */
  readonly given: ReadonlyMap<string, string>
  /** The inputs and taps that these nodes make. */
  readonly made: ReadonlySet<string>
}

function computedInputs(graph: Graph, { formulas }: QuestionPlan): ComputedInputs {
  const given = new Map(Object.keys(formulas.given).map((name) => [name, `limelight:given/${name}`]))
  const builder = new Builder(graph, 'limelight:input/')
  const results = Object.entries(formulas.inputs).map(([name, formula]) => {
    const result = writeFormula(builder, formula, (leaf) => (leaf.kind === 'given' ? given.get(leaf.name) : '') ?? '')
    return [name, result] as const
  })
  for (const [name, result] of results) builder.op('Identity', [result], {}, name)
  return {
    nodes: builder.nodes,
    constants: builder.constants,
    given,
    made: new Set(Object.keys(formulas.inputs)),
  }
}

/** How the nodes of computed cotangents are named, in errors of ONNX Runtime too. */
export const COMPUTED_COTANGENT = 'limelight:weights/'

interface ComputedCotangents {
  /** Behind the model's nodes. */
  readonly builder: Builder
  /** Output -> tensor of its shape. */
  readonly names: ReadonlyMap<string, string>
}

function computedCotangents(
  graph: Graph,
  { formulas }: QuestionPlan,
  given: ReadonlyMap<string, string>,
): ComputedCotangents {
  const builder = new Builder(graph, COMPUTED_COTANGENT)
  const names = Object.entries(formulas.cotangents).map(([output, formula]) => {
    const weights = writeFormula(builder, formula, (leaf) => {
      if (leaf.kind === 'value') return leaf.tap
      return (leaf.kind === 'given' ? given.get(leaf.name) : '') ?? ''
    })
    const shape = builder.shapeOf(output)
    // The runtime widens both of two shapes to a common one; where that is not the output's, Reshape fails.
    return [output, builder.reshape(builder.op('Expand', [weights, shape]), shape)] as const
  })
  return { builder, names: new Map(names) }
}
