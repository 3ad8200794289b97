/** What people marked: pets with their outlines, reviews with the words that decide them, reviews edited until they say the opposite. */
import { join } from 'node:path'
import sharp from 'sharp'
import { z } from 'zod'
import type { Marks } from '../../lib/metrics/marks.ts'
import { readJsonLinesXz, readTar } from './archive.ts'
import { editedSpans } from './edited-words.ts'

type Mask = Extract<Marks, { kind: 'mask' }>

/** Oxford-IIIT Pet's trimaps: what each of their values means. */
const PET = 1
const BACKGROUND = 2

export interface OutlinedPet {
  readonly name: string
  readonly bytes: Buffer
  readonly label: 'cat' | 'dog'
  /** The pet without its boundary. */
  readonly pet: Mask
  /** Everything that is not background: the pet and its boundary. */
  readonly petAndBoundary: Mask
}

/** @param bytes a trimap, an image of one channel */
export async function readTrimap(bytes: Buffer): Promise<Pick<OutlinedPet, 'pet' | 'petAndBoundary'>> {
  const { data, info } = await sharp(bytes).extractChannel(0).raw().toBuffer({ resolveWithObject: true })
  const { width, height } = info
  const mask = (is: (value: number) => boolean): Mask => ({
    kind: 'mask',
    width,
    height,
    inside: Uint8Array.from(data, (value) => (is(value) ? 1 : 0)),
  })
  return { pet: mask((value) => value === PET), petAndBoundary: mask((value) => value !== BACKGROUND) }
}

/** Parkhi et al. 2012: dogs' breeds are written small, cats' with a capital. */
export async function* outlinedPets(data: string): AsyncGenerator<OutlinedPet> {
  // The archive has each picture right in front of its trimap.
  let picture: { readonly name: string; readonly bytes: Buffer } | null = null
  for await (const { path, bytes } of readTar(join(data, 'pets-masks.tar'), () => true)) {
    const name = path.replace(/\.(jpg|mask\.png)$/, '')
    if (path.endsWith('.jpg')) picture = { name, bytes }
    else if (picture?.name === name) {
      const label = /^[A-Z]/.test(name.slice(name.lastIndexOf('/') + 1)) ? 'cat' : 'dog'
      yield { ...picture, label, ...(await readTrimap(bytes)) }
    } else throw new Error(`pets-masks.tar: ${path} does not come right behind its picture`)
  }
}

export interface MarkedReview {
  readonly name: string
  readonly text: string
  readonly label: 'negative' | 'positive'
  readonly marks: Extract<Marks, { kind: 'spans' }>
}

const labelOf = (positive: boolean): MarkedReview['label'] => (positive ? 'positive' : 'negative')

const rationale = z.object({
  id: z.string(),
  label: z.int(),
  text: z.string(),
  rationale_spans: z.array(z.tuple([z.int(), z.int()])).min(1),
})

/** Zaidan et al. 2007: phrases that people said decide the review. Offsets are those of Python, code points. */
export async function* reviewsWithRationales(data: string): AsyncGenerator<MarkedReview> {
  for await (const row of readJsonLinesXz(join(data, 'rationales.jsonl.xz'))) {
    const { id, label, text, rationale_spans } = rationale.parse(row)
    const spans = rationale_spans.map(([start, end]) => ({ start, end }))
    yield { name: id, text, label: labelOf(label === 1), marks: { kind: 'spans', spans } }
  }
}

const version = z.object({ label: z.string(), text: z.string() })
const pair = z.object({ split: z.string(), id: z.string(), texts: z.tuple([version, version]) })

/**
 * Kaushik et al. 2020, the test pairs: one version of each review, with the words marked that its counterpart lacks. Which one
 * takes turns, as the two say the same of the model.
 */
export async function* editedReviews(data: string): AsyncGenerator<MarkedReview> {
  let turn = 0
  for await (const row of readJsonLinesXz(join(data, 'counterfactual-pairs.jsonl.xz'))) {
    const { split, id, texts } = pair.parse(row)
    if (split !== 'test') continue
    const [own, other] = turn++ % 2 === 0 ? texts : [texts[1], texts[0]]
    const spans = editedSpans(own.text, other.text)
    if (spans.length > 0)
      yield { name: id, text: own.text, label: labelOf(own.label === 'Positive'), marks: { kind: 'spans', spans } }
  }
}
