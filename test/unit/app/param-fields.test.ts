import { describe, expect, it } from 'vitest'
import { z } from 'zod'
import { readFields } from '../../../app/_workbench/paramFields.ts'
import { METHODS } from '../../../lib/methods/index.ts'

function fieldsOf(schema: z.ZodType) {
  return readFields(z.toJSONSchema(schema, { target: 'draft-2020-12', io: 'input' }))
}

describe('the form of a method', () => {
  it('has a control for every kind of parameter that zod writes', () => {
    const schema = z.strictObject({
      norm: z.enum(['l1', 'l2']).default('l2').meta({ title: 'Norm', description: 'Which.' }),
      steps: z.union([z.literal('auto'), z.int().min(2).max(99)]).default('auto'),
      share: z.number().min(0).max(1).default(0.5),
      count: z.int().default(3),
      multiply: z.boolean().default(true),
      layer: z.string().nullable().default(null).meta({ tap: 'spatial' }),
      word: z.string().default(''),
    })
    const controls = Object.fromEntries(fieldsOf(schema).map(({ name, control }) => [name, control]))
    expect(controls).toEqual({
      norm: { kind: 'choice', options: ['l1', 'l2'] },
      steps: { kind: 'choice-or-number', options: ['auto'], integer: true, min: 2, max: 99 },
      share: { kind: 'number', integer: false, min: 0, max: 1 },
      count: { kind: 'number', integer: true, min: undefined, max: undefined },
      multiply: { kind: 'boolean' },
      layer: { kind: 'tap', spatial: true },
      word: { kind: 'text' },
    })
  })

  it('keeps titles, descriptions and defaults', () => {
    const [field] = fieldsOf(z.strictObject({ a: z.int().default(7).meta({ title: 'A', description: 'One.' }) }))
    expect(field).toMatchObject({ name: 'a', title: 'A', description: 'One.', fallback: 7 })
  })

  it.each(METHODS.map((method) => [method.id, method] as const))('%s needs no free text', (_id, method) => {
    for (const field of fieldsOf(method.params)) {
      expect(field.control.kind, field.name).not.toBe('text')
      expect(field.description, field.name).not.toBe('')
    }
  })

  it('is empty for a method without parameters, and for anything that is no schema', () => {
    expect(fieldsOf(z.strictObject({}))).toEqual([])
    expect(readFields(null)).toEqual([])
  })
})
