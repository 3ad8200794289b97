/** Activations that exporters spell out, found in the spellings that they use. */
import type { Builder } from '../graph/builder.ts'
import type { Attribute, Graph, GraphNode } from '../graph/graph.ts'
import { Spelling, standsFor, type Links, type Spelled } from './spelling.ts'

const float = (value: number): Attribute => ({ kind: 'float', value })

/** x/2 times a tensor 1 + f, the ½ in any of the places where exporters put it. */
function halved(
  spelling: Spelling,
  x: string,
  onePlus: string,
): { readonly last: GraphNode; readonly inner: readonly GraphNode[] } | null {
  const first = spelling.only(onePlus)
  const other = spelling.beside(first, 'Mul', onePlus)
  if (first === undefined || other === undefined) return null
  const second = spelling.only(first.outputs[0])
  const beyond = spelling.beside(second, 'Mul', first.outputs[0] ?? '')
  const halving = spelling.maker(other, 'Mul')
  if (second !== undefined && other === x && spelling.isScalar(beyond, 0.5)) return { last: second, inner: [first] }
  if (second !== undefined && spelling.isScalar(other, 0.5) && beyond === x) return { last: second, inner: [first] }
  const halves = halving !== undefined && spelling.isScalar(spelling.beside(halving, 'Mul', x), 0.5)
  return halves && spelling.only(other) === first ? { last: first, inner: [halving] } : null
}

export interface ErfGelu {
  readonly last: GraphNode
  readonly inner: readonly GraphNode[]
  readonly x: string
  /** x/√2 */
  readonly scaled: string
  /** 1 + erf(x/√2) */
  readonly onePlus: string
}

/** x Φ(x) = x/2 (1 + erf(x/√2)). */
export function findErfGelus(graph: Graph, build: Builder, links: Links): ErfGelu[] {
  const spelling = new Spelling(build, links)
  return graph.nodes.flatMap((erf): ErfGelu[] => {
    if (erf.operator !== 'Erf' || erf.domain !== '') return []
    const [scaled = ''] = erf.inputs
    const [scaling, product] = [links.producers.get(scaled), spelling.maker(scaled, 'Mul')]
    const x = scaling?.inputs.find((name) => spelling.scalar(name) === undefined)
    const factor = scaling?.inputs.find((name) => name !== x)
    const scales =
      (scaling?.operator === 'Div' && scaling.inputs[0] === x && spelling.isScalar(factor, Math.SQRT2)) ||
      (product !== undefined && spelling.isScalar(factor, Math.SQRT1_2))
    if (x === undefined || scaling === undefined || !scales || spelling.only(scaled) !== erf) return []
    const raised = spelling.only(erf.outputs[0])
    if (raised === undefined || !spelling.isScalar(spelling.beside(raised, 'Add', erf.outputs[0] ?? ''), 1)) return []
    const [onePlus = ''] = raised.outputs
    const rest = halved(spelling, x, onePlus)
    return rest === null ? [] : [{ last: rest.last, inner: [scaling, erf, raised, ...rest.inner], x, scaled, onePlus }]
  })
}

const ROOT = Math.sqrt(2 / Math.PI)

/** x/2 (1 + tanh(√(2/π) (x + 0.044715 x³))). */
function tanhGelu(spelling: Spelling, tanh: GraphNode): Spelled | null {
  const outer = spelling.maker(tanh.inputs[0], 'Mul')
  const [sum, root] = spelling.withScalar(outer) ?? []
  const inner = spelling.maker(sum, 'Add')
  const cubic = inner?.inputs.map((name) => spelling.maker(name, 'Mul')).find((node) => spelling.withScalar(node))
  const [cube, factor] = spelling.withScalar(cubic) ?? []
  const x = spelling.beside(inner, 'Add', cubic?.outputs[0] ?? '')
  const raised = spelling.only(tanh.outputs[0])
  if (outer === undefined || inner === undefined || cubic === undefined || x === undefined) return null
  const right = Math.abs((root ?? 0) - ROOT) < 1e-6 && Math.abs((factor ?? 0) - 0.044715) < 1e-6
  if (!right || raised === undefined || !spelling.isScalar(spelling.beside(raised, 'Add', tanh.outputs[0] ?? ''), 1))
    return null
  const cubing = cubed(spelling, x, cube)
  const rest = halved(spelling, x, raised.outputs[0] ?? '')
  const chain = [...(cubing ?? []), cubic, inner, outer, tanh, raised]
  const read = chain.slice(0, -1).every((node) => spelling.only(node.outputs[0]) !== undefined)
  if (cubing === null || rest === null || !read) return null
  const { last } = rest
  const approximate: Attribute = { kind: 'string', value: 'tanh' }
  return { last, inner: [...chain, ...rest.inner], stands: standsFor(last, 'Gelu', [x], { approximate }) }
}

/** The nodes that make x³ of x. */
function cubed(spelling: Spelling, x: string, cube: string | undefined): readonly GraphNode[] | null {
  const power = spelling.maker(cube, 'Pow')
  if (power?.inputs[0] === x && spelling.build.numberIn(power.inputs[1]) === 3) return [power]
  const product = spelling.maker(cube, 'Mul')
  const [of, square] = spelling.squared(spelling.beside(product, 'Mul', x)) ?? []
  return product !== undefined && square !== undefined && of === x ? [square, product] : null
}

/** x σ(αx) */
function swish(spelling: Spelling, sigmoid: GraphNode): Spelled | null {
  const [argument = '', gate = ''] = [sigmoid.inputs[0], sigmoid.outputs[0]]
  const last = spelling.only(gate)
  const x = spelling.beside(last, 'Mul', gate)
  if (last === undefined || x === undefined) return null
  if (x === argument) return { last, inner: [sigmoid], stands: standsFor(last, 'Swish', [x], { alpha: float(1) }) }
  const scaling = spelling.maker(argument, 'Mul')
  const [scaled, alpha = 1] = spelling.withScalar(scaling) ?? []
  if (scaling === undefined || scaled !== x || spelling.only(argument) !== sigmoid) return null
  return { last, inner: [scaling, sigmoid], stands: standsFor(last, 'Swish', [x], { alpha: float(alpha) }) }
}

/** x tanh(softplus x) */
function mish(spelling: Spelling, softplus: GraphNode): Spelled | null {
  const tanh = spelling.only(softplus.outputs[0])
  const last = spelling.only(tanh?.outputs[0])
  const x = spelling.beside(last, 'Mul', tanh?.outputs[0] ?? '')
  if (tanh?.operator !== 'Tanh' || last === undefined || x === undefined || x !== softplus.inputs[0]) return null
  return { last, inner: [softplus, tanh], stands: standsFor(last, 'Mish', [x]) }
}

/** The node that divides a tensor by 6. */
function sixth(spelling: Spelling, name: string | undefined): GraphNode | undefined {
  const node = spelling.only(name)
  const divides = node?.operator === 'Div' && node.inputs[0] === name && spelling.isScalar(node.inputs[1], 6)
  return divides || spelling.isScalar(spelling.beside(node, 'Mul', name ?? ''), 1 / 6) ? node : undefined
}

/** clip(x + 3, 0, 6) / 6, alone or times x; and HardSigmoid times x. */
function hard(spelling: Spelling, gate: GraphNode): Spelled[] {
  const found: Spelled[] = []
  if (gate.operator === 'HardSigmoid') {
    const [slope, offset] = [gate.attributes['alpha'], gate.attributes['beta']]
    const gives = slope?.kind === 'float' && Math.abs(slope.value - 1 / 6) < 1e-6
    if (!gives || (offset?.kind === 'float' && Math.abs(offset.value - 0.5) > 1e-6)) return found
    const last = spelling.only(gate.outputs[0])
    const x = gate.inputs[0] ?? ''
    if (last !== undefined && spelling.beside(last, 'Mul', x) === gate.outputs[0])
      found.push({ last, inner: [gate], stands: standsFor(last, 'HardSwish', [x]) })
    return found
  }
  const [raised, low, high] = gate.inputs
  const raising = spelling.maker(raised, 'Add')
  const [x = '', three] = spelling.withScalar(raising) ?? []
  if (raising === undefined || three !== 3 || spelling.scalar(low) !== 0 || spelling.scalar(high) !== 6) return found
  if (spelling.only(raised) !== gate) return found
  const [clipped = ''] = gate.outputs
  const divided = sixth(spelling, clipped)
  if (divided !== undefined) {
    const inner = [raising, gate]
    const attributes = { alpha: float(1 / 6), beta: float(0.5) }
    found.push({ last: divided, inner, stands: standsFor(divided, 'HardSigmoid', [x], attributes) })
    const last = spelling.only(divided.outputs[0])
    if (last !== undefined && spelling.beside(last, 'Mul', x) === divided.outputs[0])
      found.push({ last, inner: [...inner, divided], stands: standsFor(last, 'HardSwish', [x]) })
  }
  const product = spelling.only(clipped)
  const last =
    product && spelling.beside(product, 'Mul', x) === clipped ? sixth(spelling, product.outputs[0]) : undefined
  if (product !== undefined && last !== undefined)
    found.push({ last, inner: [raising, gate, product], stands: standsFor(last, 'HardSwish', [x]) })
  return found
}

/** Every activation that the graph spells out; a small one may be a part of a larger one. */
export function findActivations(graph: Graph, build: Builder, links: Links): Spelled[] {
  const spelling = new Spelling(build, links)
  const gelus = findErfGelus(graph, build, links).map(({ last, inner, x }): Spelled => ({
    last,
    inner,
    stands: standsFor(last, 'Gelu', [x]),
  }))
  const others = graph.nodes.flatMap((node): readonly (Spelled | null)[] => {
    if (node.domain !== '') return []
    if (node.operator === 'Tanh') return [tanhGelu(spelling, node)]
    if (node.operator === 'Sigmoid') return [swish(spelling, node)]
    if (node.operator === 'Softplus') return [mish(spelling, node)]
    return node.operator === 'Clip' || node.operator === 'HardSigmoid' ? hard(spelling, node) : []
  })
  return [...gelus, ...others.filter((one) => one !== null)]
}
