import { z } from 'zod'
import type { Method } from '../../lib/methods/method.ts'
import { answerSize } from './answer-size.ts'
import type { Builder } from './builder.ts'
import type { Enums } from './enums.ts'

export function addMethod(builder: Builder, { Modality }: Enums) {
  const Paper = builder.objectRef<NonNullable<Method['paper']>>('Paper').implement({
    description: 'Where a method was published.',
    fields: (t) => ({
      title: t.exposeString('title'),
      authors: t.exposeString('authors'),
      year: t.exposeInt('year'),
      url: t.exposeString('url'),
    }),
  })
  const MethodRef = builder.objectRef<Method>('Method').implement({
    description: 'A way to attribute a prediction to parts of the input.',
    fields: (t) => ({
      id: t.exposeID('id'),
      version: t.exposeInt('version', { description: 'Rises when its numbers change.' }),
      modality: t.field({ type: Modality, resolve: (method) => method.modality }),
      family: t.exposeString('family', {
        description:
          'How it finds what counts: `CAM`, `gradient`, `relevance`, `perturbation`, `attention` or `concepts`.',
      }),
      title: t.exposeString('title'),
      summary: t.exposeString('summary'),
      meaning: t.exposeString('meaning', { description: 'What the numbers are and how to read them: a paragraph.' }),
      misleads: t.exposeString('misleads', {
        description: 'When they mislead, and what to look at instead: a paragraph.',
      }),
      paper: t.field({ type: Paper, nullable: true, resolve: (method) => method.paper }),
      paramsSchema: t.field({
        type: 'JSON',
        description:
          'JSON Schema (draft 2020-12) of `params`, an object; every field has a title, a description and a default.',
        resolve: (method) => z.toJSONSchema(method.params, { target: 'draft-2020-12', io: 'input' }),
      }),
      signed: t.boolean({
        description: 'True where negative values speak against the class.',
        resolve: (method) => method.output.signed,
      }),
      complete: t.boolean({
        description: 'True where the values add up to the difference the input makes to the logit.',
        resolve: (method) => method.output.complete,
      }),
    }),
  })

  builder.queryField('methods', (t) =>
    t.field({
      type: [MethodRef],
      description: 'Every attribution method, or those of one modality.',
      extensions: answerSize({ assumedSize: 100 }),
      args: { modality: t.arg({ type: Modality, required: false }) },
      resolve: (_root, { modality }, { parts }) =>
        parts.methods.filter((method) => modality == null || method.modality === modality),
    }),
  )
  return { MethodRef, Paper }
}
export type MethodTypes = ReturnType<typeof addMethod>
