/** Which marks an evaluation was made with, beside those that the run has now. */
import type { Annotation, Evaluation } from '../_graphql/types.ts'
import { isJsonObject } from '../_run/jsonLines.ts'

function keyOf(numbers: readonly unknown[]): string {
  return numbers.map(String).join(' ')
}

function keysIn(annotation: unknown): readonly string[] {
  if (!isJsonObject(annotation)) return []
  const { boxes, spans } = annotation
  const list: readonly unknown[] = Array.isArray(boxes) ? boxes : Array.isArray(spans) ? spans : []
  return list
    .filter(isJsonObject)
    .map(({ x, y, width, height, start, end }) => keyOf(boxes === undefined ? [start, end] : [x, y, width, height]))
}

function keysOf(annotations: readonly Annotation[]): readonly string[] {
  const boxes = annotations.flatMap(({ box }) => (box ? [keyOf([box.x, box.y, box.width, box.height])] : []))
  return boxes.length > 0 ? boxes : annotations.flatMap(({ span }) => (span ? [keyOf([span.start, span.end])] : []))
}

export function isMarked(annotations: readonly Annotation[]): boolean {
  return keysOf(annotations).length > 0
}

/** True where it was compared with exactly what is marked now. */
export function isOfTheseMarks(
  { annotation }: Pick<Evaluation, 'annotation'>,
  annotations: readonly Annotation[],
): boolean {
  const made = [...keysIn(annotation)].sort()
  const now = [...keysOf(annotations)].sort()
  return made.length === now.length && made.every((key, at) => key === now[at])
}
