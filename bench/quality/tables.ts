/** The tables of docs/quality.md. */
import type { Method } from '../../lib/methods/method.ts'
import type { Modality } from '../../lib/models/card.ts'
import { table } from '../documents/generated.ts'
import { asShare, linesOf } from '../documents/quality-numbers.ts'
import type { Part, QualityLine } from './figures.ts'

interface QualityTable {
  readonly part: Part
  readonly modality: Modality
  /** Headings and the names of their figures; the first one ranks. */
  readonly columns: readonly (readonly [string, string])[]
  /** Whether larger figures come first. */
  readonly falling: boolean
}

const RANDOMISED = [
  ['half of the layers random', 'half-random'],
  ['a quarter random', 'quarter-random'],
  ['all random', 'all-random'],
] as const

const TABLES: readonly QualityTable[] = [
  {
    part: 'pets',
    modality: 'image',
    columns: [
      ['pointing game', 'pointing'],
      ['energy inside', 'energy'],
      ['energy, boundary left out', 'energy-without-boundary'],
    ],
    falling: true,
  },
  {
    part: 'rationales',
    modality: 'text',
    columns: [
      ['AUPRC', 'auprc'],
      ['token F1', 'token-f1'],
    ],
    falling: true,
  },
  {
    part: 'edits',
    modality: 'text',
    columns: [
      ['edited among the top', 'token-f1'],
      ['AUPRC', 'auprc'],
    ],
    falling: true,
  },
  { part: 'sanity-pictures', modality: 'image', columns: RANDOMISED, falling: false },
  { part: 'sanity-texts', modality: 'text', columns: RANDOMISED, falling: false },
]

/** Controls are slanted: they are no methods. */
const named = ({ method, version }: QualityLine): string => (version === null ? `_${method}_` : `\`${method}\``)

function qualityTable({ part, columns, falling }: QualityTable, quality: readonly QualityLine[]): string {
  const [, first] = columns[0] ?? ['', '']
  const sign = falling ? -1 : 1
  const lines = [...linesOf(quality, part).values()].sort(
    (a, b) => sign * ((a.figures[first]?.mean ?? 0) - (b.figures[first]?.mean ?? 0)) || (a.method < b.method ? -1 : 1),
  )
  return table(
    ['method', 'n', ...columns.map(([heading]) => heading)],
    lines.map((line) => [named(line), String(line.n), ...columns.map(([, name]) => asShare(line.figures[name]))]),
  )
}

/** Methods without a figure in a part: too dear, not for this model, or not measured. */
function unmeasured(
  { part, modality }: QualityTable,
  methods: readonly Method[],
  quality: readonly QualityLine[],
): string {
  const lines = linesOf(quality, part)
  const left = methods.filter((method) => method.modality === modality && !lines.has(method.id))
  return left.length === 0 ? '' : `Not measured: ${left.map(({ id }) => `\`${id}\``).join(', ')}.`
}

/** Each part's table, by the part's name. */
export function qualityTables(
  methods: readonly Method[],
  quality: readonly QualityLine[],
): Readonly<Record<Part, string>> {
  const entries = TABLES.map((one) => [
    one.part,
    `${qualityTable(one, quality)}\n\n${unmeasured(one, methods, quality)}`,
  ])
  return Object.fromEntries(entries) as Record<Part, string>
}
