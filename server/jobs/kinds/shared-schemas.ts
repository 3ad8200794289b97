/** Parts of what several kinds send. */
import { z } from 'zod'
import type { EngineInfo } from '../../../lib/engine/model.ts'
import type { Diagnosis } from '../../../lib/methods/diagnosis.ts'
import type { FloatTensor } from '../../../lib/tensor/tensor.ts'

/** A number that may be infinite or none at all: a logit that overflowed, an error relative to 0. */
export const anyNumber = z.custom<number>((value) => typeof value === 'number', 'expected a number')

/** A word of a closed list that lives with its type: whoever sends it was held to the list by the compiler. */
export function wordOf<Word extends string>(): z.ZodType<Word> {
  return z.custom<Word>((value) => typeof value === 'string', 'expected a word')
}

/** May stand in a discriminated union. */
type ObjectSchema<T> = z.ZodType<T> & z.core.$ZodTypeDiscriminable

/**
 * A schema for exactly the fields of a type: one that gains a field, an optional one too, is not sent until it is said here.
 * The compiler compares field by field; zod's own types cannot say that no optional field was forgotten.
 */
export function fieldsOf<T extends object>(shape: { readonly [K in keyof T]-?: z.ZodType<T[K]> }): ObjectSchema<T> {
  return z.strictObject(shape) as unknown as ObjectSchema<T>
}

export const engineInfo = fieldsOf<EngineInfo>({
  name: z.enum(['onnx', 'tfjs']),
  backend: z.string(),
  version: z.string(),
  reason: z.string(),
})

export const floatTensor = fieldsOf<FloatTensor>({
  type: z.literal('float32'),
  dims: z.array(z.int()),
  data: z.instanceof(Float32Array),
})

export const diagnosis = fieldsOf<Diagnosis>({
  code: wordOf<Diagnosis['code']>(),
  severity: z.enum(['info', 'warning']),
  message: z.string(),
})
