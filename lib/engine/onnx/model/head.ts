/** A model's head: the output that holds its class scores, the scores before the link, and both as [N, K]. */
import {
  chooseOutput,
  classesIn,
  settleLink,
  type Link,
  type LinkBasis,
  type OutputHead,
  type StatedHead,
} from '../../head.ts'
import { carriesGradient } from '../gradient/differentiate.ts'
import { floatConstant } from '../graph/constant.ts'
import { badModel, DataType, shapeIn, type Dim, type Graph, type ValueInfo } from '../graph/graph.ts'
import { producersOf } from '../graph/walks.ts'
import { NodeWriter, numbered } from '../graph/node-writer.ts'
import { operatorOf } from '../operators/operator-of.ts'
import { findLink, type FoundLink } from './link-spellings.ts'

export interface Head {
  /** The model's graph, with nodes behind its scores where those are not [N, K] as they stand. */
  readonly graph: Graph
  /** The tensor of scores, [N, K]. */
  readonly logits: string
  readonly link: Link
  readonly linkBasis: LinkBasis
}

interface Candidate extends OutputHead {
  readonly found: FoundLink | null
}

/** Every floating-point output, with the link that makes it. */
function candidatesOf(graph: Graph): readonly Candidate[] {
  return graph.outputs
    .filter((one) => carriesGradient(graph, one.name) && !graph.constants.has(one.name))
    .map(({ name }) => {
      const found = findLink(graph, name)
      return { name, shape: shapeIn(graph, name), scores: found?.scores ?? name, link: found?.link ?? null, found }
    })
}

/** Where nobody says how many classes there are: the output called logits, else the first with a number a class. */
function usualOutput(candidates: readonly Candidate[]): Candidate | undefined {
  const ranked = candidates.filter(({ shape }) => shape?.length === 2)
  return (
    candidates.find(({ name }) => name === 'logits') ??
    ranked.find(({ name }) => /logit/i.test(name)) ??
    ranked[0] ??
    candidates[0]
  )
}

/** The nearest tensor at or before the scores that has their values as [N, K] already. */
function flatBefore(graph: Graph, scores: string): string {
  const producers = producersOf(graph.nodes)
  for (let at = scores; ;) {
    const shape = shapeIn(graph, at)
    if (shape?.length === 2) return at
    const node = producers.get(at)
    const [before = ''] = node?.inputs ?? []
    const classes = classesIn(shape)
    if (node === undefined || operatorOf(node).keeps !== 'order' || classesIn(shapeIn(graph, before)) !== classes)
      return scores
    at = before
  }
}

/** A link whose scores need nodes of their own, only where it is known how many they are. */
function usable(graph: Graph, found: FoundLink | null): FoundLink | null {
  if (found === null || (found.negated === undefined && found.beside === undefined)) return found
  return typeof classesIn(shapeIn(graph, found.scores)) === 'number' ? found : null
}

/** Nodes behind the scores that make them [N, K], each with its shape. */
class ScoreWriter {
  readonly #write = new NodeWriter(numbered('limelight:head/'))
  readonly #values: ValueInfo[] = []
  readonly #graph: Graph
  readonly #rows: Dim

  constructor(graph: Graph, scores: string) {
    this.#graph = graph
    this.#rows = shapeIn(graph, scores)?.[0] ?? null
  }

  #made(name: string, classes: number): string {
    this.#values.push({ name, type: DataType.float, shape: [this.#rows, classes] })
    return name
  }

  negated(name: string, classes: number): string {
    return this.#made(this.#write.op('Neg', [name]), classes)
  }
  flat(name: string, classes: number): string {
    return this.#made(this.#write.reshape(name, this.#write.ints([-1, classes])), classes)
  }
  /** z [N, 1] as [-z, z], or the other way round. */
  pair(name: string, place: 0 | 1): string {
    const weights = this.#write.constant(floatConstant(place === 1 ? [-1, 1] : [1, -1], [1, 2]))
    return this.#made(this.#write.matMul(name, weights), 2)
  }

  /** The graph with all that was written, `logits` one of its outputs. */
  graph(): Graph {
    const added = this.#values.at(-1)
    if (added === undefined) return this.#graph
    return {
      ...this.#graph,
      nodes: [...this.#graph.nodes, ...this.#write.nodes],
      constants: new Map([...this.#graph.constants, ...this.#write.constants]),
      values: new Map([...this.#graph.values, ...this.#values.map((one) => [one.name, one] as const)]),
      outputs: [...this.#graph.outputs, added],
    }
  }
}

/**
 * The head of a prepared graph.
 * @param stated what the card says; left out, the output called logits or the first fitting one is taken
 * @throws AppError BAD_MODEL where no output holds class scores, several do, or the card contradicts the graph
 */
export function findHead(graph: Graph, stated?: StatedHead): Head {
  const candidates = candidatesOf(graph)
  const [first] = graph.outputs
  if (first !== undefined && graph.constants.has(first.name) && candidates.length === 0)
    throw badModel(`Its output "${first.name}" is a weight: nothing in it depends on an input.`)
  const output = stated === undefined ? usualOutput(candidates) : chooseOutput(candidates, stated)
  const found = stated?.link === 'none' ? null : usable(graph, output?.found ?? null)
  const scores = found?.scores ?? output?.name ?? first?.name ?? ''
  const classes = classesIn(shapeIn(graph, scores)) ?? null
  const { pair, ...settled } = settleLink(
    found?.link ?? null,
    classes,
    found?.beside === undefined ? stated : { ...stated, labels: 2 },
  )
  const write = new ScoreWriter(graph, scores)
  let logits = scores
  if (classes !== null) {
    logits = flatBefore(graph, scores)
    if (shapeIn(graph, logits)?.length !== 2) logits = write.flat(logits, classes)
    if (found?.negated) logits = write.negated(logits, classes)
    if (pair) logits = write.pair(logits, found?.beside ?? 1)
  }
  return { graph: write.graph(), logits, ...settled }
}
