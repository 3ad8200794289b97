/** The tensors of a graph that a person may name, in graph order. */
import type { Tap, TapKind } from '../../model.ts'
import { carriersOf, carriesGradient } from '../gradient/differentiate.ts'
import { publicShape, readsOf, shapeIn, type Graph, type GraphNode, type Shape } from '../graph/graph.ts'
import { producersOf } from '../graph/walks.ts'
import { Builder } from '../graph/builder.ts'
import { describeObstacles, obstacleAt, type Obstacle } from '../gradient/obstacles.ts'
import { embeddingsOf } from './embeddings.ts'
import { labelOf, uniqueLabels } from './labels.ts'
import { operatorOf } from '../operators/operator-of.ts'

/**
 * For every tensor from which the output can be reached: what no gradient passes on the way (none: differentiable).
 * Tensors that only reach it through operators with no derivative, or not at all, are missing.
 */
function obstacles(graph: Graph, logits: string): Map<string, ReadonlySet<Obstacle>> {
  const found = new Map<string, ReadonlySet<Obstacle>>([[logits, new Set()]])
  const build = new Builder(graph, 'limelight:')
  for (const node of graph.nodes.toReversed()) {
    if (operatorOf(node).stops) continue
    const reaching = carriersOf(graph, node).filter((name) => found.has(name))
    if (reaching.length === 0) continue
    const own = new Set(reaching.flatMap((name) => [...(found.get(name) ?? [])]))
    const obstacle = obstacleAt(node, build, (name) => reaching.includes(name))
    if (obstacle !== null) own.add(obstacle)
    for (const name of readsOf(node)) {
      const known = found.get(name)
      found.set(name, known ? new Set([...known, ...own]) : own)
    }
  }
  return found
}

function spatialTensors(graph: Graph): ReadonlySet<string> {
  const maps = new Set<string>()
  for (const info of graph.inputs) if (info.shape?.length === 4) maps.add(info.name)
  for (const node of graph.nodes) {
    const { makesMap, keepsMap } = operatorOf(node)
    if (makesMap || (keepsMap && node.inputs.some((name) => maps.has(name))))
      for (const name of node.outputs) if (shapeIn(graph, name)?.length === 4) maps.add(name)
  }
  return maps
}

/** Every tap of the graph; `logits` is the tensor that gradients start from. */
export function findTaps(graph: Graph, logits: string): Tap[] {
  const reach = obstacles(graph, logits)
  const maps = spatialTensors(graph)
  const embeddings = new Set(embeddingsOf(graph).map(({ name }) => name))
  const producers = producersOf(graph.nodes)
  const kindOf = (node: GraphNode): TapKind => {
    if (embeddings.has(node.outputs[0] ?? '')) return 'embedding'
    const { kind = 'other' } = operatorOf(node)
    return typeof kind === 'function' ? kind(graph, node, producers) : kind
  }
  const outputs = new Set(graph.outputs.map((one) => one.name))
  const used = new Set([...graph.nodes.flatMap(readsOf), ...outputs])
  const found: { name: string; node?: GraphNode; shape: Shape }[] = []
  for (const info of graph.inputs)
    if (carriesGradient(graph, info.name) && info.shape) found.push({ name: info.name, shape: info.shape })
  for (const node of graph.nodes)
    for (const name of node.outputs) {
      const shape = shapeIn(graph, name)
      if (name === '' || !used.has(name) || !carriesGradient(graph, name) || shape === null) continue
      if (operatorOf(node).stops || (shape.length === 0 && !outputs.has(name))) continue
      found.push({ name, node, shape })
    }
  const labels = uniqueLabels(
    found.map(({ name, node }) => ({ label: node ? labelOf(node) : name, operator: node?.operator ?? '' })),
  )
  return found.map(({ name, node, shape }, index): Tap => {
    const missing = reach.get(name)
    const reason =
      missing === undefined
        ? 'The output does not depend on it smoothly.'
        : missing.size > 0
          ? `No gradient rule for ${describeObstacles([...missing].toReversed()).join(', ')} between it and the output.`
          : undefined
    const [, , height = 1, width = 1] = shape
    const extent = height === 1 && width === 1 ? 1 : 2
    return {
      id: name,
      label: labels[index] ?? name,
      kind: node === undefined ? 'input' : outputs.has(name) ? 'output' : kindOf(node),
      operator: node?.operator ?? '',
      shape: publicShape(shape),
      spatial: shape.length === 4 && maps.has(name) && extent > 1,
      differentiable: reason === undefined,
      ...(reason === undefined ? {} : { reason }),
    }
  })
}
