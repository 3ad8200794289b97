/** What a person marked of a text, beside the tokens with the largest scores. Special tokens have no part in it. */
import { z } from 'zod'
import { AppError } from '../../../errors.ts'
import type { JudgedText, MarkedTokens } from '../../metric.ts'
import { ranked, wordTokens } from './tokens.ts'

export const topParams = z.strictObject({
  tokens: z.int().min(1).max(512).nullable().default(null).meta({
    title: 'Tokens',
    description: 'How many tokens with the largest scores count; left out: as many as are marked.',
  }),
})
export type TopParams = z.infer<typeof topParams>

export const ERASER_PAPER = {
  title: 'ERASER: A Benchmark to Evaluate Rationalized NLP Models',
  authors: 'DeYoung, Jain, Rajani, Lehman, Xiong, Socher, Wallace',
  year: 2020,
  url: 'https://arxiv.org/abs/1911.03429',
}

export function markedIn({ marked }: Pick<JudgedText, 'marked'>): MarkedTokens {
  if (marked !== null) return marked
  throw new AppError({ code: 'INTERNAL', message: 'a metric that needs marks was asked without any' })
}

/** For each word token whether it is marked. */
export function markedWords(context: JudgedText): readonly boolean[] {
  const { inside } = markedIn(context)
  return wordTokens(context).map((token) => inside[token] === true)
}

/** The tokens with the largest scores, in the order of the text. */
export function topTokens(context: JudgedText, { tokens }: TopParams): readonly number[] {
  const count = tokens ?? markedWords(context).filter(Boolean).length
  return ranked(context)
    .slice(0, count)
    .toSorted((a, b) => a - b)
}

/** 2 p r / (p + r), 0 where both are. */
export function fMeasure(precision: number, recall: number): number {
  return precision + recall === 0 ? 0 : (2 * precision * recall) / (precision + recall)
}

/** Runs of neighbouring tokens. @param tokens rising */
export function runsOf(tokens: readonly number[]): readonly (readonly number[])[] {
  const runs: number[][] = []
  for (const token of tokens) {
    const last = runs.at(-1)
    if (last?.at(-1) === token - 1) last.push(token)
    else runs.push([token])
  }
  return runs
}
