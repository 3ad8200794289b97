/** The gradient of a model as an ordinary ONNX file, which anything that runs ONNX can serve. */
import { AppError } from '../../errors.ts'
import type { RuleSet, TapId } from '../model.ts'
import { compileQuestion, NO_FORMULAS } from './compile.ts'
import type { Graph, GraphNode } from './graph.ts'
import { prepareGraph } from './load.ts'
import { readModelFile } from './read-model.ts'
import { findLogits, findTaps } from './taps.ts'
import { writeModel } from './write-model.ts'

export interface GradientFileOptions {
  readonly wrt: readonly TapId[]
  readonly rules?: RuleSet
}

/**
 * A model with the original's inputs and `cotangent` [N, K] (weights of the logits); its outputs are the logits and
 * `gradient/<tap>` for each tap, in the tap's shape.
 * @throws AppError BAD_MODEL, UNKNOWN_LAYER (with the taps it has), NOT_DIFFERENTIABLE.
 */
export async function gradientModel(path: string, options: GradientFileOptions): Promise<Uint8Array> {
  const graph = await prepareGraph(await readModelFile(path))
  const logits = findLogits(graph)
  const taps = findTaps(graph, logits).map((tap) => tap.id)
  for (const name of options.wrt)
    if (!taps.includes(name))
      throw new AppError({
        code: 'UNKNOWN_LAYER',
        message: `The model has no layer "${name}". It has: ${taps.join(', ')}.`,
        details: { layer: name, layers: taps },
      })
  const compiled = compileQuestion(graph, {
    replaced: [],
    read: [logits],
    of: [logits],
    wrt: options.wrt,
    rules: options.rules ?? 'plain',
    formulas: NO_FORMULAS,
  })
  return writeModel(withPlainNames(compiled.graph, compiled.cotangents.get(logits), logits, compiled.gradients))
}

/** Names that a reader of the file understands: `cotangent`, `gradient/<tap>`. */
function withPlainNames(
  graph: Graph,
  cotangent: string | undefined,
  logits: string,
  gradients: ReadonlyMap<string, string>,
): Graph {
  const rename = (name: string): string => (name === cotangent ? 'cotangent' : name)
  const nodes: GraphNode[] = graph.nodes.map((node) => ({ ...node, inputs: node.inputs.map(rename) }))
  for (const [tap, name] of gradients)
    nodes.push({
      name: `gradient/${tap}`,
      operator: 'Identity',
      domain: '',
      inputs: [name],
      outputs: [`gradient/${tap}`],
      attributes: {},
    })
  const output = (name: string): Graph['outputs'][number] => ({ name, type: 0, shape: null })
  return {
    ...graph,
    nodes,
    inputs: graph.inputs.map((one) => ({ ...one, name: rename(one.name) })),
    outputs: [logits, ...[...gradients.keys()].map((tap) => `gradient/${tap}`)].map(output),
  }
}
