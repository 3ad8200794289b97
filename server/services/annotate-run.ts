import { randomUUID } from 'node:crypto'
import { AppError } from '../../lib/errors.ts'
import type { Annotation, Run } from '../../prisma/generated/client.ts'
import type { Parts } from '../parts.ts'
import { getRun } from './get-run.ts'

export interface AnnotationRequest {
  readonly note: string
  /** Fractions of the upright picture. */
  readonly box?: { readonly x: number; readonly y: number; readonly width: number; readonly height: number } | null
  /** Code points of the text, end excluded. */
  readonly span?: { readonly start: number; readonly end: number } | null
}

const LONGEST_NOTE = 10_000
/** A box drawn to the very edge may overshoot by what floating point loses. */
const EDGE = 1e-6

function bad(message: string): AppError {
  return new AppError({ code: 'BAD_INPUT', message })
}

export function checkBox(run: Run, { x, y, width, height }: NonNullable<AnnotationRequest['box']>): void {
  if (run.modality !== 'image') throw bad('A box marks part of a picture, and this run explains a text. Use span.')
  const inside = x >= 0 && y >= 0 && width > 0 && height > 0 && x + width <= 1 + EDGE && y + height <= 1 + EDGE
  if (!inside)
    throw bad(`The box x ${x}, y ${y}, ${width} x ${height} is not inside the picture. Give fractions from 0 to 1.`)
}

export function checkSpan(run: Run, { start, end }: NonNullable<AnnotationRequest['span']>): void {
  if (run.text === null) throw bad('A span marks part of a text, and this run explains a picture. Use box.')
  const length = [...run.text].length
  if (start < 0 || end <= start || end > length)
    throw bad(`The span ${start} to ${end} is not inside the text, which has ${length} characters (code points).`)
}

/** @throws AppError NOT_FOUND, BAD_INPUT */
export async function annotateRun(
  parts: Pick<Parts, 'prisma' | 'now'>,
  runId: string,
  { note, box = null, span = null }: AnnotationRequest,
): Promise<Annotation> {
  const run = await getRun(parts, runId)
  if (box !== null && span !== null) throw bad('An annotation marks a box or a span, not both.')
  if (box !== null) checkBox(run, box)
  if (span !== null) checkSpan(run, span)
  if (note.trim() === '' && box === null && span === null)
    throw bad('The note is empty. Write something, or mark a part.')
  if (note.length > LONGEST_NOTE) throw bad(`The note has ${note.length} characters; at most ${LONGEST_NOTE} are kept.`)
  return parts.prisma.annotation.create({
    data: {
      id: randomUUID(),
      runId,
      note,
      boxX: box?.x ?? null,
      boxY: box?.y ?? null,
      boxWidth: box?.width ?? null,
      boxHeight: box?.height ?? null,
      spanStart: span?.start ?? null,
      spanEnd: span?.end ?? null,
      createdAt: parts.now(),
    },
  })
}

/** @returns false when there was no such annotation */
export async function deleteAnnotation(parts: Pick<Parts, 'prisma'>, id: string): Promise<boolean> {
  const { count } = await parts.prisma.annotation.deleteMany({ where: { id } })
  return count > 0
}
