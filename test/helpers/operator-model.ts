/** One-operator ONNX models for tests, loaded through the engine's own preparation. */
import {
  DataType,
  type Attribute,
  type Constant,
  type Graph,
  type GraphNode,
  type Shape,
} from '../../lib/engine/onnx/graph/graph.ts'
import { RULE_SETS } from '../../lib/engine/onnx/gradient/rule-sets/index.ts'
import type { RuleSetDefinition } from '../../lib/engine/onnx/gradient/rule-sets/rule-set.ts'
import { prepareGraph } from '../../lib/engine/onnx/prepare/prepare-graph.ts'
import { OnnxModel } from '../../lib/engine/onnx/model/onnx-model.ts'
import { readModel } from '../../lib/engine/onnx/file/read-model.ts'
import { findTaps } from '../../lib/engine/onnx/model/taps.ts'
import { writeModel } from '../../lib/engine/onnx/file/write-model.ts'

export interface OperatorInput {
  readonly name: string
  readonly type: number
  readonly shape: Shape | null
}

export interface OperatorModel {
  readonly nodes: readonly GraphNode[]
  readonly inputs: readonly OperatorInput[]
  readonly outputs: readonly string[]
  readonly constants: ReadonlyMap<string, Constant>
  readonly opset?: number
  readonly domains?: readonly string[]
}

export function node(
  operator: string,
  inputs: readonly string[],
  outputs: readonly string[],
  attributes: Readonly<Record<string, Attribute>> = {},
  domain = '',
): GraphNode {
  return { name: outputs[0] ?? operator, operator, domain, inputs, outputs, attributes }
}

export function graphOf(model: OperatorModel): Graph {
  return {
    name: 'test',
    nodes: model.nodes,
    inputs: model.inputs,
    outputs: model.outputs.map((name) => ({ name, type: DataType.float, shape: null })),
    constants: model.constants,
    values: new Map(),
    opsets: new Map([['', model.opset ?? 18], ...(model.domains ?? []).map((domain) => [domain, 1] as const)]),
    irVersion: 8,
  }
}

/** Written to bytes and read back, so that the file format is in the test too. */
export async function loadGraph(
  graph: Graph,
  ruleSets: readonly RuleSetDefinition[] = RULE_SETS,
  look: (prepared: Graph) => Graph = (prepared) => prepared,
): Promise<OnnxModel> {
  const prepared = look(await prepareGraph(await readModel(writeModel(graph))))
  const logits = graph.outputs[0]?.name ?? ''
  return new OnnxModel({
    graph: prepared,
    taps: findTaps(prepared, logits),
    logits,
    link: 'softmax',
    linkBasis: 'assumed',
    defaultTap: logits,
    ruleSets,
    engine: { name: 'onnx', backend: 'cpu', version: '', reason: '' },
    settings: { threads: 1, cacheBytes: 2 ** 28 },
  })
}
