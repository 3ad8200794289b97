/** Parts of what several kinds send. */
import { z } from 'zod'
import type { EngineInfo } from '../../../lib/engine/model.ts'

/** A number that may be infinite or none at all: a logit that overflowed, an error relative to 0. */
export const anyNumber = z.custom<number>((value) => typeof value === 'number', 'expected a number')

/** A word of a closed list that lives with its type: whoever sends it was held to the list by the compiler. */
export function wordOf<Word extends string>(): z.ZodType<Word> {
  return z.custom<Word>((value) => typeof value === 'string', 'expected a word')
}

export const engineInfo: z.ZodType<EngineInfo> = z.strictObject({
  name: z.enum(['onnx', 'tfjs']),
  backend: z.string(),
  version: z.string(),
  reason: z.string(),
})
