/**
 * Accepts a question: checks all of it, then stores it and queues it. Nothing is stored before everything has been
 * checked. The same question twice is one run: its key is the hash of all that determines the numbers.
 */
import { createHash, randomUUID } from 'node:crypto'
import { AppError } from '../../lib/errors.ts'
import type { MapsAsked } from '../../lib/methods/maps-asked.ts'
import type { Method } from '../../lib/methods/method.ts'
import type { Modality } from '../../lib/models/card.ts'
import type { CatalogueEntry } from '../../lib/models/catalogue.ts'
import { refOf } from '../../lib/models/model-ref.ts'
import { asStored, type Target } from '../../lib/target/target.ts'
import { checkedCodePoints } from '../../lib/text/limits.ts'
import type { Asset, Run } from '../../prisma/generated/client.ts'
import { canonicalJson } from '../canonical.ts'
import type { Parts } from '../parts.ts'
import { compareKind } from '../jobs/kinds/compare.ts'
import { explainKind } from '../jobs/kinds/explain.ts'
import { jointId, weightOf, type Weight } from '../jobs/queued-job.ts'
import { askMaps, targetsAsked, type MapsRequest } from './ask-maps.ts'
import { findMethod } from './find-method.ts'
import { findModel } from './find-model.ts'
import { parseParams } from '../../lib/methods/parse-params.ts'
import { queuedAgain } from './queued-again.ts'
import { bytesOfBase64, checkImage, findImage, type CheckedImage } from './store-image.ts'
import { isUniqueViolation } from './unique-violation.ts'

export interface RunRequest extends MapsRequest {
  readonly model: string
  readonly method: string
  readonly image?: { readonly base64?: string | null; readonly assetId?: string | null } | null
  readonly text?: string | null
  /** What to call the input in the history. */
  readonly name?: string | null
  readonly params?: unknown
  readonly seed?: number | null
}

/** Forward passes one run may cost. */
const MAX_COST = 100_000

type CheckedInput =
  { readonly kind: 'image'; readonly image: CheckedImage } | { readonly kind: 'text'; readonly text: string }

function modalityAsked(request: RunRequest): Modality {
  const image = request.image ?? null
  const text = request.text ?? null
  if (image !== null && text !== null)
    throw new AppError({ code: 'BAD_INPUT', message: 'Give either an image or a text to explain, not both.' })
  if (image === null && text === null)
    throw new AppError({ code: 'BAD_INPUT', message: 'Give an image or a text to explain: both are missing.' })
  return image === null ? 'text' : 'image'
}

function checkModality(given: Modality, model: CatalogueEntry): void {
  const reads = model.card.preprocessing.kind
  const noun = { image: 'a picture', text: 'text' } as const
  const details = { given, model: model.id, modelReads: reads }
  if (given !== reads)
    throw new AppError({
      code: 'WRONG_MODALITY',
      message: `${model.card.title} (${model.id}) reads ${noun[reads]}, and was given ${noun[given]}. Choose a model that reads ${noun[given]}.`,
      details,
    })
}

export function checkSeed(seed: number): number {
  if (Number.isInteger(seed) && seed >= 0) return seed
  throw new AppError({ code: 'BAD_INPUT', message: `seed is ${seed}; it must be a whole number from 0 to 2147483647.` })
}

const LONGEST_NAME = 255

/** A file's name in one line; null where nothing is left of it. */
function checkName(name: string | null): string | null {
  const clean = name?.replaceAll(/[\u0000-\u001f\u007f]+/g, ' ').trim() ?? ''
  if (Array.from(clean).length > LONGEST_NAME)
    throw new AppError({
      code: 'BAD_INPUT',
      message: `name has ${Array.from(clean).length} characters; at most ${LONGEST_NAME} are kept. Give a shorter one.`,
    })
  return clean === '' ? null : clean
}

export function checkCost(method: Pick<Method, 'title'>, cost: number): void {
  if (cost <= MAX_COST) return
  throw new AppError({
    code: 'BAD_PARAMETER',
    message: `${method.title} with these parameters would cost ${Math.round(cost)} passes through the model; at most ${MAX_COST} are allowed. Ask for fewer steps or samples.`,
    details: { cost, limit: MAX_COST },
  })
}

async function checkInput(parts: Parts, request: RunRequest): Promise<CheckedInput> {
  if (typeof request.text === 'string') {
    checkedCodePoints(request.text)
    return { kind: 'text', text: request.text }
  }
  const base64 = request.image?.base64 ?? null
  const assetId = request.image?.assetId ?? null
  if (base64 !== null) return { kind: 'image', image: await checkImage(parts, bytesOfBase64(base64)) }
  if (assetId !== null) return { kind: 'image', image: await findImage(parts, assetId) }
  throw new AppError({ code: 'BAD_INPUT', message: 'image needs either base64 or assetId.' })
}

interface CheckedRequest {
  readonly model: CatalogueEntry
  readonly method: Method
  readonly input: CheckedInput
  readonly params: string
  readonly target: Target
  /** Where there are several; the target and the parameters are those of the first. */
  readonly maps: MapsAsked | null
  readonly seed: number
  readonly name: string | null
  readonly weight: Weight
  /** Read as several methods read together, which may differ in the last digits. */
  readonly together: boolean
}

/**
 * @param checkedInput the picture is looked at last
 * @param compared asked among others, of the same input
 */
async function check(
  parts: Parts,
  request: RunRequest,
  checkedInput = () => checkInput(parts, request),
  compared = false,
): Promise<CheckedRequest> {
  const model = await findModel(parts, request.model)
  checkModality(modalityAsked(request), model)
  const method = findMethod(parts, request.method, model)
  const parsed = parseParams(method, request.params)
  const targets = targetsAsked(request, model.card.labels)
  const seed = checkSeed(request.seed ?? 0)
  const name = checkName(request.name ?? null)
  const input = await checkedInput()
  const { facts } = await parts.describe(model)
  const text = input.kind === 'text' ? input.text : null
  const { params, target, maps, cost } = askMaps(request, { method, model, text }, parsed, targets, facts)
  checkCost(method, cost)
  const together = compared && method.reading !== undefined
  const weight = weightOf(cost)
  return { model, method, input, params: canonicalJson(params), target, maps, seed, name, weight, together }
}

function keyOf({ model, method, input, params, target, maps, seed, together }: CheckedRequest): string {
  const identity = {
    model: [model.id, model.sha256],
    input: input.kind === 'image' ? { image: input.image.id } : { text: input.text },
    method: `${method.id}@${method.version}`,
    params,
    // A class alone is its index, as before there were other targets.
    target: target.kind === 'logit' ? target.index : target,
    ...(maps === null ? {} : { maps }),
    ...(together ? { together } : {}),
    seed,
  }
  return createHash('sha256').update(canonicalJson(identity)).digest('hex')
}

/** A run that was asked for without a name takes the first that is given. */
async function nameRun(parts: Parts, id: string, name: string): Promise<void> {
  await parts.prisma.run.updateMany({ where: { id, name: null }, data: { name } })
}

type Enqueue = (runId: string) => void

/** A run that ended without a result is run again, under its own id. Null: another request was faster. */
async function restart(parts: Parts, run: Run, enqueue: Enqueue): Promise<Run | null> {
  const { count } = await parts.prisma.run.updateMany({
    where: { id: run.id, status: { in: ['FAILED', 'CANCELLED'] } },
    data: queuedAgain(parts.now()),
  })
  if (count > 0) enqueue(run.id)
  return parts.prisma.run.findUnique({ where: { id: run.id } })
}

async function insert(
  parts: Parts,
  request: CheckedRequest,
  key: string,
  asset: Asset | null,
  enqueue: Enqueue,
): Promise<Run> {
  const { model, method, input } = request
  const at = parts.now()
  const versionId = refOf(model)
  const version = { sha256: model.sha256, modelId: model.id, card: JSON.stringify(model.card) }
  const [, run] = await parts.prisma.$transaction([
    parts.prisma.modelVersion.upsert({
      where: { id: versionId },
      create: { id: versionId, createdAt: at, ...version },
      update: { card: version.card },
    }),
    parts.prisma.run.create({
      data: {
        id: randomUUID(),
        key,
        status: 'QUEUED',
        modality: input.kind,
        modelId: model.id,
        modelVersionId: versionId,
        methodId: method.id,
        methodVersion: method.version,
        params: request.params,
        seed: request.seed,
        ...asStored(request.target),
        maps: request.maps === null ? null : canonicalJson(request.maps),
        together: request.together,
        assetId: asset?.id ?? null,
        text: input.kind === 'text' ? input.text : null,
        name: request.name,
        createdAt: at,
        queuedAt: at,
      },
    }),
  ])
  enqueue(run.id)
  return run
}

async function storedOrNew(parts: Parts, checked: CheckedRequest, enqueue: Enqueue): Promise<Run> {
  const key = keyOf(checked)
  for (;;) {
    const known = await parts.prisma.run.findUnique({ where: { key } })
    if (known !== null) {
      if (checked.name !== null && known.name === null) await nameRun(parts, known.id, checked.name)
      if (known.status !== 'FAILED' && known.status !== 'CANCELLED') return known
      const again = await restart(parts, known, enqueue)
      if (again !== null) return again
      continue // it was deleted meanwhile
    }
    const asset = checked.input.kind === 'image' ? await checked.input.image.store() : null
    try {
      return await insert(parts, checked, key, asset, enqueue)
    } catch (error) {
      // Somebody asked the same at the same time; theirs is ours.
      if (!isUniqueViolation(error)) throw error
    }
  }
}

const enqueueAlone =
  ({ queue }: Parts, { weight }: CheckedRequest): Enqueue =>
  (id) =>
    queue.enqueue({ id, kind: explainKind.id, weight })

/**
 * The run that answers the request: the stored one where the same was asked before and did not fail, else a new one.
 * @throws AppError for every way in which the request can be wrong; then nothing was stored
 */
export async function createRun(parts: Parts, request: RunRequest): Promise<Run> {
  const checked = await check(parts, request)
  return storedOrNew(parts, checked, enqueueAlone(parts, checked))
}

/**
 * The runs of several methods on one input, in the order of the requests. Those that read once are one job and read together;
 * such a run is not the one that `createRun` would find, from whose numbers its own may differ in the last digits.
 * @param requests of one model and one input
 * @throws AppError for every way in which a request can be wrong; then nothing was stored
 */
export async function createRuns(parts: Parts, requests: readonly RunRequest[]): Promise<readonly Run[]> {
  let input: ReturnType<typeof checkInput> | undefined
  const all: CheckedRequest[] = []
  for (const request of requests) {
    const checkedOnce = () => (input ??= checkInput(parts, request))
    all.push(await check(parts, request, checkedOnce, true))
  }
  const keys = all.map(keyOf)
  const twice = all.find((_, at) => keys.indexOf(keys[at] ?? '') < at)
  if (twice !== undefined)
    throw new AppError({
      code: 'BAD_INPUT',
      message: `methods: ${twice.method.id} is asked twice with the same parameters. Name each once.`,
    })
  const joint: string[] = []
  const runs: Run[] = []
  for (const one of all)
    runs.push(await storedOrNew(parts, one, one.together ? (id) => joint.push(id) : enqueueAlone(parts, one)))
  const weight = all.some((one) => one.together && one.weight === 'heavy') ? 'heavy' : 'light'
  if (joint.length > 0) parts.queue.enqueue({ id: jointId(joint), kind: compareKind.id, weight })
  return runs
}
