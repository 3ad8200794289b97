/**
 * Accepts the question what layers do over some inputs: checks all of it, then stores and queues it. The same question twice
 * is one row: its key is the hash of all that determines the numbers.
 */
import { createHash, randomUUID } from 'node:crypto'
import { AppError } from '../../lib/errors.ts'
import type { CatalogueEntry } from '../../lib/models/catalogue.ts'
import { refOf } from '../../lib/models/model-ref.ts'
import { chooseTaps } from '../../lib/statistics/choose-taps.ts'
import { resolveTarget, type TargetRequest } from '../../lib/target/request.ts'
import { checkTarget, targetFor } from '../../lib/target/scalar.ts'
import { checkedCodePoints } from '../../lib/text/limits.ts'
import { canonicalJson } from '../canonical.ts'
import { statisticsKind, type StatisticsPayload } from '../jobs/kinds/statistics.ts'
import { weightOf, type Weight } from '../jobs/queued-job.ts'
import type { Parts } from '../parts.ts'
import { findModel } from './find-model.ts'
import { queuedAgain } from './queued-again.ts'
import { WITHOUT_COUNTS, type StatisticsRow } from './statistics-store.ts'
import { isUniqueViolation } from './unique-violation.ts'

export interface StatisticsRequest {
  readonly model: string
  readonly inputs: readonly { readonly assetId?: string | null; readonly text?: string | null }[]
  /** Left out: every layer. */
  readonly taps?: readonly string[] | null
  readonly target?: TargetRequest | null
  readonly nearZero?: number | null
  readonly bins?: number | null
}

/** Raised when the same question has other numbers. */
const VERSION = 1
export const MOST_INPUTS = 500
/** Of an input at a tap in a bin: 16 MB. */
const MOST_COUNTS = 2 ** 22
const BINS = { least: 8, usual: 64, most: 256 } as const
const NEAR_ZERO = 0.001
/** A pass forward, and one back, in forward passes. */
const COST_PER_INPUT = 4

type Inputs = StatisticsPayload['inputs']

function bad(message: string, details: Record<string, unknown> = {}): AppError {
  return new AppError({ code: 'BAD_INPUT', message, details })
}

function checkSizes({ inputs, nearZero, bins }: StatisticsRequest) {
  if (inputs.length === 0 || inputs.length > MOST_INPUTS)
    throw bad(`Give 1 to ${MOST_INPUTS} inputs, not ${inputs.length}.`, { inputs: inputs.length, limit: MOST_INPUTS })
  const sizes = { nearZero: nearZero ?? NEAR_ZERO, bins: bins ?? BINS.usual }
  if (!(sizes.nearZero > 0) || !Number.isFinite(sizes.nearZero))
    throw bad(`nearZero is ${sizes.nearZero}; it must be a number above 0: what is near zero is smaller.`)
  if (sizes.bins < BINS.least || sizes.bins > BINS.most)
    throw bad(`bins is ${sizes.bins}; it must be ${BINS.least} to ${BINS.most}.`)
  return sizes
}

/** @throws AppError NOT_FOUND for the first picture that is not there, WRONG_MODALITY, BAD_TEXT, TEXT_TOO_LONG */
async function checkInputs({ prisma }: Pick<Parts, 'prisma'>, model: CatalogueEntry, request: StatisticsRequest) {
  const reads = model.card.preprocessing.kind
  const checked = request.inputs.map(({ assetId = null, text = null }, at): Inputs[number] => {
    if ((assetId === null) === (text === null)) throw bad(`inputs: number ${at + 1} needs either assetId or text.`)
    const input = text === null ? { kind: 'image' as const, asset: assetId ?? '' } : { kind: 'text' as const, text }
    if (input.kind !== reads)
      throw new AppError({
        code: 'WRONG_MODALITY',
        message: `${model.card.title} (${model.id}) reads ${reads === 'image' ? 'pictures: give assetIds' : 'text: give texts'}; number ${at + 1} of the inputs is another thing.`,
      })
    if (input.kind === 'text') checkedCodePoints(input.text)
    return input
  })
  const assets = checked.flatMap((input) => (input.kind === 'image' ? [input.asset] : []))
  const known = new Set((await prisma.asset.findMany({ where: { id: { in: assets } }, select: { id: true } })).map(({ id }) => id)) // prettier-ignore
  const missing = assets.find((id) => !known.has(id))
  if (missing === undefined) return checked
  throw new AppError({
    code: 'NOT_FOUND',
    message: `There is no picture ${missing}. Upload it to /api/images and use the assetId it answers.`,
    details: { assetId: missing },
  })
}

interface Checked {
  readonly key: string
  readonly row: Pick<StatisticsRow, 'modelId' | 'modelVersionId' | 'inputs' | 'taps' | 'target' | 'nearZero' | 'bins'>
  readonly weight: Weight
}

async function check(parts: Parts, request: StatisticsRequest): Promise<Checked> {
  const sizes = checkSizes(request)
  const model = await findModel(parts, request.model)
  const inputs = await checkInputs(parts, model, request)
  const { facts } = await parts.describe(model)
  const outputs = { classes: model.card.labels.length, link: facts.link }
  const target = resolveTarget(request.target, model.card.labels)
  checkTarget(targetFor(target, outputs), outputs)
  const taps = chooseTaps(facts.taps, request.taps ?? null).map(({ id }) => id)
  const counts = inputs.length * taps.length * sizes.bins
  if (counts > MOST_COUNTS)
    throw bad(
      `${inputs.length} inputs at ${taps.length} taps in ${sizes.bins} bins are ${counts} counts; at most ${MOST_COUNTS} are kept. Ask for fewer of one of them.`,
      { counts, limit: MOST_COUNTS },
    )
  const row = {
    modelId: model.id,
    modelVersionId: refOf(model),
    inputs: canonicalJson(inputs),
    taps: JSON.stringify(taps),
    target: canonicalJson(target),
    ...sizes,
  }
  const key = createHash('sha256').update(canonicalJson({ statistics: VERSION, ...row })).digest('hex') // prettier-ignore
  return { key, row, weight: weightOf(inputs.length * COST_PER_INPUT) }
}

/** Statistics that ended without a result are computed again, under their own id. Null: they are gone. */
async function restart(parts: Parts, id: string, weight: Weight): Promise<StatisticsRow | null> {
  const { count } = await parts.prisma.statistics.updateMany({
    where: { id, status: { in: ['FAILED', 'CANCELLED'] } },
    data: queuedAgain(parts.now()),
  })
  if (count > 0) parts.queue.enqueue({ id, kind: statisticsKind.id, weight })
  return parts.prisma.statistics.findUnique({ where: { id }, omit: WITHOUT_COUNTS })
}

/**
 * The statistics that answer the request: stored ones where the same was asked before and did not fail.
 * @throws AppError for every way in which the request can be wrong; then nothing was stored
 */
export async function createStatistics(parts: Parts, request: StatisticsRequest): Promise<StatisticsRow> {
  const { key, row, weight } = await check(parts, request)
  for (;;) {
    const known = await parts.prisma.statistics.findUnique({ where: { key }, omit: WITHOUT_COUNTS })
    if (known !== null) {
      if (known.status !== 'FAILED' && known.status !== 'CANCELLED') return known
      const again = await restart(parts, known.id, weight)
      if (again !== null) return again
      continue // it was deleted meanwhile
    }
    const at = parts.now()
    try {
      const data = { id: randomUUID(), key, status: 'QUEUED', ...row, createdAt: at, queuedAt: at }
      const created = await parts.prisma.statistics.create({ data, omit: WITHOUT_COUNTS })
      parts.queue.enqueue({ id: created.id, kind: statisticsKind.id, weight })
      return created
    } catch (error) {
      // Somebody asked the same at the same time; theirs is ours.
      if (!isUniqueViolation(error)) throw error
    }
  }
}
