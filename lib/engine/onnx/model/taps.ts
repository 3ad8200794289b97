/** The tensors of a graph that a person may name, in graph order. */
import type { Tap, TapKind, TokenGrid } from '../../model.ts'
import { carriersOf, carriesGradient } from '../gradient/differentiate.ts'
import { publicShape, readsOf, shapeIn, type Graph, type GraphNode, type Shape } from '../graph/graph.ts'
import { producersOf } from '../graph/walks.ts'
import { Builder } from '../graph/builder.ts'
import { describeObstacles, obstacleAt, type Obstacle } from '../gradient/obstacles.ts'
import { embeddingsOf } from './embeddings.ts'
import { labelOf, uniqueLabels } from './labels.ts'
import { isMap, layoutsOf } from './layouts.ts'
import { deadGrids } from './live-places.ts'
import { gridShown, mapOf } from './maps.ts'
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

/** Every tap of the graph, its maps behind the tensors that they show; `logits` is the tensor that gradients start from. */
export function findTaps(graph: Graph, logits: string): Tap[] {
  const reach = obstacles(graph, logits)
  const layouts = layoutsOf(graph)
  const dead = deadGrids(graph, logits, layouts)
  const embeddings = new Set(embeddingsOf(graph).map(({ name }) => name))
  const producers = producersOf(graph.nodes)
  const kindOf = (node: GraphNode): TapKind => {
    const [name = ''] = node.outputs
    if (embeddings.has(name)) return 'embedding'
    if (graph.attention?.has(name)) return 'attention'
    const { kind = 'other' } = operatorOf(node)
    return typeof kind === 'function' ? kind(graph, node, producers) : kind
  }
  const outputs = new Set(graph.outputs.map((one) => one.name))
  const used = new Set([...graph.nodes.flatMap(readsOf), ...outputs])
  const found: { name: string; node?: GraphNode; shape: Shape; inside?: string }[] = []
  const weightsInside = new Map(
    [...(graph.attention ?? [])].flatMap(([name, { inside }]) => (inside ? [[inside.tensor, name] as const] : [])),
  )
  for (const info of graph.inputs)
    if (carriesGradient(graph, info.name) && info.shape) found.push({ name: info.name, shape: info.shape })
  for (const node of graph.nodes)
    for (const name of node.outputs) {
      const shape = shapeIn(graph, name)
      if (name === '' || !used.has(name) || !carriesGradient(graph, name) || shape === null) continue
      if (operatorOf(node).stops || (shape.length === 0 && !outputs.has(name))) continue
      const weights = weightsInside.get(name) ?? ''
      const own = shapeIn(graph, weights)
      if (own !== null) found.push({ name: weights, node, shape: own, inside: name })
      found.push({ name, node, shape })
    }
  const labels = uniqueLabels(
    found.map(({ name, node, inside }) => ({
      label: node ? `${labelOf(node)}${inside === undefined ? '' : ' weights'}` : name,
      operator: node?.operator ?? '',
    })),
  )
  return found.flatMap(({ name, node, shape, inside }, index): Tap[] => {
    const missing = reach.get(inside ?? name)
    const reason =
      missing === undefined
        ? 'The output does not depend on it smoothly.'
        : missing.size > 0
          ? `No gradient rule for ${describeObstacles([...missing].toReversed()).join(', ')} between it and the output.`
          : undefined
    const layout = layouts.get(name)
    const weights = graph.attention?.get(name)
    const own = {
      label: labels[index] ?? name,
      kind: node === undefined ? 'input' : outputs.has(name) ? 'output' : kindOf(node),
      operator: node?.operator ?? '',
    } as const
    const tap: Tap = {
      ...own,
      id: name,
      shape: publicShape(shape),
      spatial: layout !== undefined && isMap(layout),
      ...(weights && { looksAt: weights.looksAt }),
      ...reached(reason),
    }
    const view = graph.maps?.get(mapOf(name))
    if (view === undefined) return [tap]
    const grid = gridShown(view)
    const map: Tap = {
      ...own,
      id: mapOf(name),
      label: `${own.label} as a map`,
      shape: publicShape([shape[0] ?? null, ...view.map]),
      spatial: true,
      mapOf: name,
      ...(grid && { grid, ...aside(grid) }),
      ...reached(reason ?? (dead.has(name) ? UNREAD : undefined)),
    }
    return [grid === null ? tap : { ...tap, grid }, map]
  })
}

const UNREAD =
  'Behind this layer the model reads its class token alone, so that the gradient at the picture’s own tokens is zero whatever it shows. Choose a layer before the last attention, as the default one is.'

function reached(reason: string | undefined): Pick<Tap, 'differentiable' | 'reason'> {
  return reason === undefined ? { differentiable: true } : { differentiable: false, reason }
}

/** What a map of tokens leaves out. */
function aside({ rows, columns, leading }: TokenGrid): Pick<Tap, 'note'> {
  if (leading === 0) return {}
  const others =
    leading === 1 ? 'The class token' : `The ${leading} tokens before them (class, distillation, registers)`
  return {
    note: `A map of its ${rows} x ${columns} patch tokens. ${others} lie${leading === 1 ? 's' : ''} nowhere in the picture and ${leading === 1 ? 'is' : 'are'} set aside: what the model reads there is not in the map.`,
  }
}
