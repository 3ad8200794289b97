/**
 * What both engines decide about a model's head alike: which of its outputs holds the class scores, and how they become
 * probabilities. What a graph shows is looked for by each engine; what a card says of it comes in as a {@link StatedHead}.
 *
 * Letters: N batch, K numbers that an output has for each row.
 */
import { AppError } from '../errors.ts'

/** How a model's scores become probabilities: over all classes together, each for itself, or not at all. */
export const LINKS = ['softmax', 'sigmoid', 'none'] as const
export type Link = (typeof LINKS)[number]

/** Who says so: the graph computes it, the card names it, or nobody does and it is the usual one. */
export type LinkBasis = 'graph' | 'card' | 'assumed'

/** What is known of a head before the graph is looked at. */
export interface StatedHead {
  /** How many labels the card names. */
  readonly labels: number
  /** The output to take, by name. */
  readonly output?: string | undefined
  /** 'none': the output is taken as it is, whatever the graph ends in. */
  readonly link?: Link | undefined
}

/** An output, looked at. */
export interface OutputHead {
  readonly name: string
  /** Batch first; null: rank unknown. */
  readonly shape: readonly (number | string | null)[] | null
  /** The tensor before the link: outputs that share one are the same scores twice. */
  readonly scores: string | number
  /** What the graph applies to the scores; null where it shows nothing. */
  readonly link: Link | null
}

/** How many numbers a row has; null where that is not known, undefined where they are more than one list of them. */
export function classesIn(shape: OutputHead['shape']): number | null | undefined {
  if (shape === null) return null
  if (shape.length === 0) return undefined
  const several = shape.slice(1).filter((dim) => dim !== 1)
  if (several.length > 1) return undefined
  const [only = 1] = several
  return typeof only === 'number' ? only : null
}

function described({ name, shape }: OutputHead): string {
  if (shape === null) return `"${name}" (shape unknown)`
  const [, ...extents] = shape
  return `"${name}" [${['N', ...extents.map((dim) => (typeof dim === 'number' ? dim : '?'))].join(', ')}]`
}

function badHead(message: string, outputs: readonly OutputHead[]): AppError {
  return new AppError({
    code: 'BAD_MODEL',
    message,
    details: { outputs: outputs.map((one) => one.name) },
  })
}

/** How well an output fits the labels: one number each, one for two of them, perhaps; 0: not at all. */
function fit(output: OutputHead, labels: number): number {
  const classes = classesIn(output.shape)
  if (classes === labels) return 3
  if (classes === 1 && labels === 2) return 2
  return classes === null ? 1 : 0
}

function fitsNone(outputs: readonly OutputHead[], labels: number): AppError {
  const [only] = outputs
  const count = outputs.length === 1 && only !== undefined ? classesIn(only.shape) : undefined
  const found =
    typeof count === 'number'
      ? `The model answers ${count} classes and its card names ${labels}.`
      : `The card names ${labels} labels, and no output has as many numbers for each picture or text.`
  return badHead(
    `${found} The outputs are ${outputs.map(described).join(', ')}. If one holds class scores, put a label for each of its numbers into card.json ("labels"); ` +
      'if they are features (an embedding, hidden states), export the model with its classification head.',
    outputs,
  )
}

/** Names that say what an output is, the surest first. */
const SCORES: readonly RegExp[] = [/^logits$/i, /logit/i, /prob|pred|score|softmax|sigmoid|class|label/i]

const scoresOf = (outputs: readonly OutputHead[]): number => new Set(outputs.map((one) => one.scores)).size

/** Those whose name speaks for them, where that leaves any. */
function byName<Output extends OutputHead>(outputs: readonly Output[]): readonly Output[] {
  const main = outputs.filter(({ name }) => !/aux/i.test(name))
  const left = main.length > 0 ? main : outputs
  if (scoresOf(left) < 2) return left
  for (const word of SCORES) {
    const named = left.filter(({ name }) => word.test(name))
    if (named.length > 0) return named
  }
  const flat = left.filter(({ shape }) => shape?.length === 2)
  return flat.length > 0 ? flat : left
}

/**
 * The output that holds the class scores: the one the card names, else the one that fits its labels.
 * @throws AppError BAD_MODEL where none fits, several do, or the card names one that the model has not
 */
export function chooseOutput<Output extends OutputHead>(
  outputs: readonly Output[],
  { labels, output }: StatedHead,
): Output {
  if (output !== undefined) {
    const named = outputs.find(({ name }) => name === output)
    if (named === undefined)
      throw badHead(
        `The card names the output "${output}", and the model has ${outputs.map(described).join(', ')}. Put one of these into card.json ("output").`,
        outputs,
      )
    if (fit(named, labels) === 0) throw fitsNone([named], labels)
    return named
  }
  const best = Math.max(...outputs.map((one) => fit(one, labels)))
  if (!(best > 0)) throw fitsNone(outputs, labels)
  const fitting = byName(outputs.filter((one) => fit(one, labels) === best))
  const [first] = fitting
  if (first === undefined || scoresOf(fitting) > 1)
    throw badHead(
      `Several outputs fit the ${labels} labels: ${fitting.map(described).join(', ')}. Say in card.json which one is meant: "output": "${fitting.at(-1)?.name ?? ''}", for example.`,
      outputs,
    )
  // Of logits and their probabilities both, the probabilities say what the logits are.
  return (
    fitting.find(({ link }) => link !== null) ??
    outputs.find((one) => one.scores === first.scores && one.link !== null) ??
    first
  )
}

export interface SettledLink {
  readonly link: Link
  readonly linkBasis: LinkBasis
  /** One score z stands for two labels: the first has -z, the second z. */
  readonly pair: boolean
}

/**
 * How the scores become probabilities, of what the graph shows and what the card says.
 * @param found what the graph applies; null where it shows nothing
 * @param classes numbers a row; null where unknown
 * @throws AppError BAD_MODEL where the two contradict each other
 */
export function settleLink(found: Link | null, classes: number | null, stated: StatedHead | undefined): SettledLink {
  const said = stated?.link
  if (said === 'none') return { link: 'none', linkBasis: 'card', pair: false }
  const pair = classes === 1 && stated?.labels === 2
  const shown = found ?? (pair ? 'sigmoid' : null)
  if (said !== undefined && shown !== null && said !== shown)
    throw new AppError({
      code: 'BAD_MODEL',
      message:
        `The card says that a ${said} makes the probabilities, and the model ${found === null ? 'has one number for two labels, which takes a sigmoid' : `ends in a ${found}`}. ` +
        `Put "link": "${shown}" into card.json or leave it and "problemType" out; "link": "none" takes the output as it is.`,
    })
  if (found !== null) return { link: found, linkBasis: 'graph', pair }
  if (said !== undefined) return { link: said, linkBasis: 'card', pair }
  const usual: Link = pair ? 'sigmoid' : classes === 1 ? 'none' : 'softmax'
  return { link: usual, linkBasis: 'assumed', pair }
}
