/** The figures of quality as they are kept: a line of JSON each, appended when it is measured, so that a run can go on where it stopped. */
import { appendFileSync, existsSync, readFileSync } from 'node:fs'
import { z } from 'zod'
import { mean } from '../../lib/metrics/shared/statistics.ts'
import { bootstrapInterval } from './interval.ts'

export const PARTS = ['pets', 'rationales', 'edits', 'sanity-pictures', 'sanity-texts'] as const
export type Part = (typeof PARTS)[number]

const figure = z.strictObject({
  mean: z.number(),
  /** 95 %, by the bootstrap over the examples. */
  interval: z.tuple([z.number(), z.number()]),
  /** Examples that have a value; the others have none (`METRIC_UNDEFINED`). */
  n: z.int().min(1),
})
export type Figure = z.infer<typeof figure>

const qualityLine = z.strictObject({
  part: z.enum(PARTS),
  model: z.string(),
  /** Of the model's files: a figure of other weights is another figure. */
  sha256: z.string(),
  /** Id of a method, or of a control. */
  method: z.string(),
  /** Of the method; null for a control. */
  version: z.int().nullable(),
  /** Examples judged. */
  n: z.int().min(1),
  seed: z.int(),
  figures: z.record(z.string(), figure),
})
export type QualityLine = z.infer<typeof qualityLine>

/** @returns none where there is no such file yet */
export function readQuality(path: string): readonly QualityLine[] {
  if (!existsSync(path)) return []
  const lines = readFileSync(path, 'utf8').split('\n')
  return lines.filter((line) => line !== '').map((line) => qualityLine.parse(JSON.parse(line)))
}

export function appendQuality(path: string, line: QualityLine): void {
  appendFileSync(path, `${JSON.stringify(qualityLine.parse(line))}\n`)
}

/** To four places: more would say what 300 examples cannot. */
const rounded = (value: number): number => Number(value.toFixed(4))

/** @param values one an example, null where the metric has none. @returns null where none has */
export function figureOf(values: readonly (number | null)[], seed: number): Figure | null {
  const known = values.filter((value) => value !== null)
  if (known.length === 0) return null
  const [low, high] = bootstrapInterval(known, seed)
  return { mean: rounded(mean(known)), interval: [rounded(low), rounded(high)], n: known.length }
}

/** Values by the name of their figure, one an example. */
export type Values = Readonly<Record<string, number | null>>

/** Figures over examples that have the same names. */
export function figuresOf(examples: readonly Values[], seed: number): Record<string, Figure> {
  const names = Object.keys(examples[0] ?? {})
  return Object.fromEntries(
    names.flatMap((name) => {
      const of = figureOf(
        examples.map((values) => values[name] ?? null),
        seed,
      )
      return of === null ? [] : [[name, of]]
    }),
  )
}
