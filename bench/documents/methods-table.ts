/** The tables of docs/methods.md and docs/metrics.md: what methods and metrics say of themselves, what holds them, what they are worth. */
import type { Tap } from '../../lib/engine/model.ts'
import { AppError } from '../../lib/errors.ts'
import type { CostFacts } from '../../lib/methods/description.ts'
import type { Method } from '../../lib/methods/method.ts'
import type { Need, Place } from '../../lib/methods/need.ts'
import { parseParams } from '../../lib/methods/parse-params.ts'
import type { Metric } from '../../lib/metrics/metric.ts'
import type { Modality } from '../../lib/models/card.ts'
import type { QualityLine } from '../quality/figures.ts'
import { CONFORMANCE } from './conformance.ts'
import { table } from './generated.ts'
import { asShare, linesOf } from './quality-numbers.ts'

/** The last map of pets-cnn. */
const MAP: Tap = {
  id: 'map',
  label: 'map',
  kind: 'activation',
  operator: 'Relu',
  shape: [null, 1024, 14, 14],
  spatial: true,
  differentiable: true,
}

/** What costs are told of: a picture for pets-cnn, a text of 128 tokens for reviews-minilm. */
const COST_OF: Readonly<Record<Modality, CostFacts>> = {
  image: { tap: MAP, classes: 2, tokens: 0, pixels: 224 * 224, sides: [224, 224] },
  text: { tap: null, classes: 2, tokens: 128, pixels: 0 },
}

const PLACES: Readonly<Record<Place, string>> = {
  input: 'the picture',
  'spatial-tap': 'a layer with height and width',
  'linear-head': 'global average pooling and a linear layer at the end',
  embedding: 'the word embedding',
  'token-grid': 'tokens on a grid',
  attention: 'attention weights',
}

function needOf({ place, gradient, rules }: Need, modality: Modality): string {
  const where = place === 'input' && modality === 'text' ? 'the text' : PLACES[place]
  if (gradient !== true) return where
  return rules === undefined ? `a gradient at ${where}` : `rules \`${rules}\` at ${where}`
}

function needsOf({ needs, modality }: Method): string {
  return needs.length === 0 ? 'predictions' : needs.map((need) => needOf(need, modality)).join('; ')
}

function paperOf({ paper }: Method | Metric): string {
  if (paper === null) return '-'
  const [first = ''] = paper.authors.split(',')
  return `[${first} ${paper.year}](${paper.url})`
}

function costOf(method: Method): string {
  return method.cost(parseParams(method, {}), COST_OF[method.modality]).toLocaleString('en')
}

const yes = (is: boolean): string => (is ? 'yes' : 'no')

/** @throws AppError INTERNAL for a method that conformance.ts lacks */
function conformanceOf({ id, modality }: Method): string {
  const held = CONFORMANCE[modality][id]
  if (held === undefined)
    throw new AppError({
      code: 'INTERNAL',
      message: `Nothing says what holds ${modality} ${id}: add it to bench/documents/conformance.ts.`,
    })
  return `${held.by}: ${held.to}`
}

/** Which figures a modality's table tells, by the heading. */
const QUALITY: Readonly<Record<Modality, readonly (readonly [string, QualityLine['part'], string])[]>> = {
  image: [
    ['pointing game', 'pets', 'pointing'],
    ['energy inside', 'pets', 'energy'],
    ['half random', 'sanity-pictures', 'half-random'],
  ],
  text: [
    ['AUPRC', 'rationales', 'auprc'],
    ['edited words', 'edits', 'token-f1'],
    ['half random', 'sanity-texts', 'half-random'],
  ],
}

/** Every method of a modality, in the order in which they are offered. */
export function methodsTable(methods: readonly Method[], modality: Modality, quality: readonly QualityLine[]): string {
  const figures = QUALITY[modality].map(([, part, name]) => ({ lines: linesOf(quality, part), name }))
  const rows = methods
    .filter((method) => method.modality === modality)
    .map((method) => [
      `\`${method.id}\``,
      method.title,
      paperOf(method),
      needsOf(method),
      costOf(method),
      yes(method.output.signed),
      yes(method.output.complete),
      conformanceOf(method),
      ...figures.map(({ lines, name }) => asShare(lines.get(method.id)?.figures[name])),
    ])
  return table(
    [
      'id',
      'name',
      'paper',
      'needs',
      'cost',
      'signed',
      'complete',
      'held by: to',
      ...QUALITY[modality].map(([name]) => name),
    ],
    rows,
  )
}

/** Every metric of a modality, in the order in which they are offered. */
export function metricsTable(metrics: readonly Metric[], modality: Modality): string {
  return table(
    ['id', 'name', 'asks for', 'paper', 'better', 'needs marks'],
    metrics
      .filter((metric) => metric.modality === modality)
      .map((metric) => [
        `\`${metric.id}\``,
        metric.title,
        metric.family,
        paperOf(metric),
        metric.better,
        yes(metric.needsAnnotation),
      ]),
  )
}
