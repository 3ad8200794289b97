/** The gradient of a model as an ordinary ONNX file, which anything that runs ONNX can serve. */
import { AppError } from '../../../errors.ts'
import type { RuleSet, Tap } from '../../model.ts'
import type { TapId } from '../../tap-id.ts'
import { PLAIN_RULES } from '../../read-rule-set.ts'
import { Bending } from '../gradient/bending.ts'
import { RULE_SETS } from '../gradient/rule-sets/index.ts'
import { compileQuestion, NO_FORMULAS, type CompiledGraph } from '../question/compile.ts'
import { badModel, DataType, shapeIn, type Graph } from '../graph/graph.ts'
import { seen } from './load.ts'
import { prepareGraph } from '../prepare/prepare-graph.ts'
import { NodeWriter, numbered } from '../graph/node-writer.ts'
import { readModelFile } from '../file/read-model.ts'
import { RuleGraphs } from './rule-graphs.ts'
import { findHead } from './head.ts'
import { findTaps } from './taps.ts'
import { writeModel } from '../file/write-model.ts'

export interface GradientFileOptions {
  /** Ids of taps, or labels that only one tap has. */
  readonly wrt: readonly TapId[]
  /** Without a reference: the file has no place for one. */
  readonly rules?: RuleSet
}

export interface GradientFile {
  readonly bytes: Uint8Array
  /** Names of its outputs, the logits first. */
  readonly outputs: readonly string[]
}

/**
 * A model with the original's inputs and `cotangent` [N, K] (weights of the logits); its outputs are the logits and
 * `gradient/<tap>` for each tap, in the tap's shape.
 * @throws AppError BAD_MODEL, UNKNOWN_LAYER (with the taps it has), NOT_DIFFERENTIABLE, BAD_PARAMETER for the rule set.
 */
export async function gradientModel(path: string, options: GradientFileOptions): Promise<GradientFile> {
  const { graph: plain, logits } = findHead(await prepareGraph(await readModelFile(path)))
  const graph = seen(plain)
  const rules = new Bending(options.rules ?? PLAIN_RULES, RULE_SETS)
  if (rules.references.length > 0)
    throw new AppError({
      code: 'BAD_PARAMETER',
      message: 'A gradient that compares with a reference cannot be written as a file. Choose another rule set.',
    })
  const taps = findTaps(graph, logits)
  const wrt = tapsNamed(taps, options.wrt)
  tapsNamed(taps, rules.taps)
  const compiled = compileQuestion(await new RuleGraphs(graph).for(rules, wrt), {
    replaced: [],
    read: [logits],
    of: [logits],
    wrt,
    rules,
    formulas: NO_FORMULAS,
  })
  const named = withPlainNames(graph, compiled, logits)
  return { bytes: writeModel(named), outputs: named.outputs.map((one) => one.name) }
}

/** Taps by id, or by their label where only one has it. @throws AppError UNKNOWN_LAYER */
function tapsNamed(taps: readonly Tap[], names: readonly string[]): readonly string[] {
  return names.map((name) => {
    if (taps.some((tap) => tap.id === name)) return name
    const labelled = taps.filter((tap) => tap.label === name)
    const [first] = labelled
    if (first !== undefined && labelled.length === 1) return first.id
    const candidates = labelled.length > 1 ? labelled : taps
    throw new AppError({
      code: 'UNKNOWN_LAYER',
      message: `${labelled.length > 1 ? `Several layers are labelled "${name}"` : `The model has no layer "${name}"`}. Choose one of: ${candidates.map((tap) => tap.id).join(', ')}.`,
      details: { layer: name, layers: candidates.map((tap) => tap.id) },
    })
  })
}

/**
 * Names that a reader of the file understands: `cotangent`, `gradient/<tap>`; and the types that a file has to state.
 * @throws AppError BAD_MODEL where the model has tensors of these names itself.
 */
function withPlainNames(whole: Graph, { graph, cotangents, gradients }: CompiledGraph, logits: string): Graph {
  const cotangent = cotangents.get(logits)
  const made = whole.nodes.flatMap((node) => node.outputs)
  const taken = new Set([...whole.inputs.map((one) => one.name), ...whole.constants.keys(), ...made])
  for (const name of ['cotangent', ...[...gradients.keys()].map((tap) => `gradient/${tap}`)])
    if (taken.has(name))
      throw badModel(`It has a tensor "${name}" of its own, which is what the gradient's file calls one. Rename it.`)
  const rename = (name: string): string => (name === cotangent ? 'cotangent' : name)
  // A node of the model may be called as its gradient is.
  const write = new NodeWriter(numbered('limelight:gradient-file/'))
  for (const node of graph.nodes) write.put({ ...node, inputs: node.inputs.map(rename) })
  for (const [tap, name] of gradients) write.op('Identity', [name], {}, `gradient/${tap}`)
  const output = (name: string, tap: string): Graph['outputs'][number] => {
    const shape = shapeIn(whole, tap)
    return {
      name,
      type: DataType.float,
      shape: shape && shape.map((dim) => (typeof dim === 'number' ? dim : null)),
    }
  }
  return {
    ...graph,
    nodes: write.nodes,
    inputs: graph.inputs.map((one) => ({ ...one, name: rename(one.name) })),
    outputs: [output(logits, logits), ...[...gradients.keys()].map((tap) => output(`gradient/${tap}`, tap))],
  }
}
