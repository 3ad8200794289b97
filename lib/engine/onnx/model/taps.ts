/** The tensors of a graph that a person may name, in graph order. */
import type { Tap, TapKind } from '../../model.ts'
import { carriersOf, carriesGradient } from '../gradient/differentiate.ts'
import { badModel, producersOf, readsOf, shapeIn, type Graph, type GraphNode, type Shape } from '../graph/graph.ts'
import { Builder } from '../graph/builder.ts'
import { describeObstacles, obstacleAt, type Obstacle } from '../gradient/obstacles.ts'
import { STOPS } from '../operators/table.ts'

const KINDS: Readonly<Record<string, TapKind>> = {
  Conv: 'conv', ConvTranspose: 'conv', FusedConv: 'conv', Gemm: 'linear', FusedMatMul: 'linear',
  Relu: 'activation', LeakyRelu: 'activation', PRelu: 'activation', Elu: 'activation', Selu: 'activation', Celu: 'activation',
  Clip: 'activation', Sigmoid: 'activation', HardSigmoid: 'activation', HardSwish: 'activation', Gelu: 'activation',
  FastGelu: 'activation', BiasGelu: 'activation', Mish: 'activation', Swish: 'activation', Softplus: 'activation', Tanh: 'activation', Erf: 'activation',
  BatchNormalization: 'norm', LayerNormalization: 'norm', SkipLayerNormalization: 'norm', InstanceNormalization: 'norm',
  GroupNormalization: 'norm', LRN: 'norm', RMSNormalization: 'norm',
  MaxPool: 'pool', AveragePool: 'pool', GlobalAveragePool: 'pool', GlobalMaxPool: 'pool', LpPool: 'pool',
  EmbedLayerNormalization: 'embedding', Attention: 'attention', MultiHeadAttention: 'attention',
  Add: 'add', Sum: 'add', Concat: 'concat',
} // prettier-ignore

/** Operators through which a feature map stays one; everything else that has four axes is not a picture. */
const KEEPS_MAP = new Set(
  (
    'Add Sub Mul Div Sum Relu LeakyRelu PRelu Elu Selu Celu Clip Sigmoid HardSigmoid HardSwish Gelu Mish Swish Softplus Tanh ' +
    'BatchNormalization InstanceNormalization GroupNormalization LRN MaxPool AveragePool LpPool Concat Pad Resize Identity ' +
    'Dropout Transpose Slice Split DepthToSpace SpaceToDepth Where Max Min'
  ).split(' '),
)
const MAKES_MAP = new Set(['Conv', 'ConvTranspose', 'FusedConv'])

function kindOf(graph: Graph, node: GraphNode, embeddings: ReadonlySet<string>): TapKind {
  const [a = '', b = ''] = node.inputs
  const constant = (name: string): boolean => graph.constants.has(name)
  if (embeddings.has(node.outputs[0] ?? '')) return 'embedding'
  if (node.operator === 'MatMul') return constant(a) || constant(b) ? 'linear' : 'attention'
  if (node.operator === 'Softmax') return (shapeIn(graph, a)?.length ?? 0) >= 3 ? 'attention' : 'activation'
  if (node.operator === 'Add' && (constant(a) || constant(b))) return 'linear'
  return KINDS[node.operator] ?? 'other'
}

/**
 * Rows read from a word table. A table of integers is looked up and then made float, by a cast, a zero point and a scale,
 * or by DequantizeLinear: the embedding is what comes of it, not the integers, nor the scales read beside them.
 */
function embeddingsOf(graph: Graph): ReadonlySet<string> {
  const found = new Set<string>()
  /** Rows on their way from integers to floats: not scaled yet. */
  const unscaled = new Set<string>()
  const perRow = new Set(graph.constants.keys())
  for (const node of graph.nodes) {
    const [a = '', b = ''] = node.inputs
    const [out = ''] = node.outputs
    const table = node.operator === 'Gather' ? graph.constants.get(a) : undefined
    const rows = [a, b].find((name) => unscaled.has(name))
    const other = rows === a ? b : a
    if (table?.dims.length === 2 && (table.dims[1] ?? 0) > 1) (carriesGradient(graph, a) ? found : unscaled).add(out)
    else if (table || (node.operator === 'Unsqueeze' && perRow.has(a))) perRow.add(out)
    else if (rows === undefined) continue
    else if (node.operator === 'DequantizeLinear') found.add(out)
    else if (node.operator === 'Mul' && perRow.has(other)) found.add(out)
    else if (node.operator === 'Cast' || (node.operator === 'Sub' && perRow.has(other))) unscaled.add(out)
  }
  return found
}

/**
 * `/layer1/layer1.0/conv1/Conv` -> `layer1.0.conv1`; torch's dynamo exporter writes the module path itself.
 * What remains unnamed is called by its tensor.
 */
export function labelOf(node: GraphNode): string {
  if (node.scope !== undefined) return node.scope
  const parts = (node.name || (node.outputs[0] ?? '')).split('/').filter((part) => part !== '')
  const bare = parts.at(-1)?.replace(/_\d+$/, '')
  const path = parts.length > 1 && bare === node.operator ? parts.slice(0, -1) : parts
  return path.filter((part, index) => !path[index + 1]?.startsWith(`${part}.`)).join('.') || node.operator
}

/** Labels made unique: the operator behind those that several tensors share, then a number. */
function uniqueLabels(nodes: readonly { label: string; operator: string }[]): string[] {
  const count = (labels: readonly string[]): Map<string, number> => {
    const counts = new Map<string, number>()
    for (const label of labels) counts.set(label, (counts.get(label) ?? 0) + 1)
    return counts
  }
  const shared = count(nodes.map((one) => one.label))
  const named = nodes.map(({ label, operator }) =>
    (shared.get(label) ?? 0) > 1 && operator !== '' ? `${label} ${operator}` : label,
  )
  const still = count(named)
  const seen = new Map<string, number>()
  return named.map((label) => {
    if ((still.get(label) ?? 0) < 2) return label
    const place = (seen.get(label) ?? 0) + 1
    seen.set(label, place)
    return place === 1 ? label : `${label} ${place}`
  })
}

/**
 * For every tensor from which the output can be reached: what no gradient passes on the way (none: differentiable).
 * Tensors that only reach it through operators with no derivative, or not at all, are missing.
 */
function obstacles(graph: Graph, logits: string): Map<string, ReadonlySet<Obstacle>> {
  const found = new Map<string, ReadonlySet<Obstacle>>([[logits, new Set()]])
  const build = new Builder(graph, 'limelight:')
  for (const node of graph.nodes.toReversed()) {
    if (STOPS.has(node.operator)) continue
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
    const first = node.inputs.some((name) => maps.has(name))
    const swapped = node.operator === 'Transpose'
    if (MAKES_MAP.has(node.operator) || (first && KEEPS_MAP.has(node.operator) && !swapped))
      for (const name of node.outputs) if (shapeIn(graph, name)?.length === 4) maps.add(name)
  }
  return maps
}

function publicShape(shape: Shape): (number | null)[] {
  return shape.map((dim) => (typeof dim === 'number' ? dim : null))
}

/** Every tap of the graph; `logits` is the tensor that gradients start from. */
export function findTaps(graph: Graph, logits: string): Tap[] {
  const reach = obstacles(graph, logits)
  const maps = spatialTensors(graph)
  const embeddings = embeddingsOf(graph)
  const outputs = new Set(graph.outputs.map((one) => one.name))
  const used = new Set([...graph.nodes.flatMap(readsOf), ...outputs])
  const found: { name: string; node?: GraphNode; shape: Shape }[] = []
  for (const info of graph.inputs)
    if (carriesGradient(graph, info.name) && info.shape) found.push({ name: info.name, shape: info.shape })
  for (const node of graph.nodes)
    for (const name of node.outputs) {
      const shape = shapeIn(graph, name)
      if (name === '' || !used.has(name) || !carriesGradient(graph, name) || shape === null) continue
      if (STOPS.has(node.operator) || (shape.length === 0 && !outputs.has(name))) continue
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
      kind: node === undefined ? 'input' : outputs.has(name) ? 'output' : kindOf(graph, node, embeddings),
      operator: node?.operator ?? '',
      shape: publicShape(shape),
      spatial: shape.length === 4 && maps.has(name) && extent > 1,
      differentiable: reason === undefined,
      ...(reason === undefined ? {} : { reason }),
    }
  })
}

/** The tensor that holds the logits [N, K]: the output, or what goes into a softmax that ends the model. */
export function findLogits(graph: Graph): string {
  const floats = graph.outputs.filter((one) => carriesGradient(graph, one.name))
  const ranked = floats.filter((one) => shapeIn(graph, one.name)?.length === 2)
  const output =
    floats.find((one) => one.name === 'logits') ??
    ranked.find((one) => /logit/i.test(one.name)) ??
    ranked[0] ??
    floats[0] ??
    graph.outputs[0]
  const name = output?.name ?? ''
  if (graph.constants.has(name)) throw badModel(`Its output "${name}" is a weight: nothing in it depends on an input.`)
  const producer = producersOf(graph.nodes).get(name)
  const before = producer?.inputs[0]
  if (producer && before && ['Softmax', 'LogSoftmax'].includes(producer.operator) && shapeIn(graph, name)?.length === 2)
    return before
  return name
}

/** Last feature map of a CNN, word embedding of a text model, else the first differentiable tap. */
export function sensibleTap(taps: readonly Tap[]): string {
  const usable = taps.filter((tap) => tap.differentiable)
  const tap =
    usable.findLast((one) => one.spatial && one.kind !== 'input') ??
    usable.find((one) => one.kind === 'embedding') ??
    usable[0] ??
    taps[0]
  return tap?.id ?? ''
}
