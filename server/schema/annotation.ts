import { sliceCodePoints } from '../../lib/text/limits.ts'
import type { Annotation } from '../../prisma/generated/client.ts'
import { annotateRun, deleteAnnotation } from '../services/annotate-run.ts'
import { getRun } from '../services/get-run.ts'
import type { Builder } from './builder.ts'

export interface AnnotationView {
  readonly annotation: Annotation
  /** The run's text; null for pictures. */
  readonly text: string | null
}

export function addAnnotation(builder: Builder) {
  const Box = builder.objectRef<{ x: number; y: number; width: number; height: number }>('Box').implement({
    description: 'Fractions of the upright picture, 0..1.',
    fields: (t) => ({
      x: t.exposeFloat('x'),
      y: t.exposeFloat('y'),
      width: t.exposeFloat('width'),
      height: t.exposeFloat('height'),
    }),
  })
  const TextRange = builder.objectRef<{ start: number; end: number; text: string }>('TextRange').implement({
    description: 'A range of the text in Unicode code points, end excluded.',
    fields: (t) => ({ start: t.exposeInt('start'), end: t.exposeInt('end'), text: t.exposeString('text') }),
  })
  const AnnotationRef = builder.objectRef<AnnotationView>('Annotation').implement({
    description: "A person's remark about a run, on the whole of it or on a marked part.",
    fields: (t) => ({
      id: t.id({ resolve: ({ annotation }) => annotation.id }),
      note: t.string({ resolve: ({ annotation }) => annotation.note }),
      box: t.field({
        type: Box,
        nullable: true,
        resolve: ({ annotation: { boxX: x, boxY: y, boxWidth: width, boxHeight: height } }) =>
          x === null || y === null || width === null || height === null ? null : { x, y, width, height },
      }),
      span: t.field({
        type: TextRange,
        nullable: true,
        resolve: ({ annotation: { spanStart: start, spanEnd: end }, text }) =>
          start === null || end === null || text === null
            ? null
            : { start, end, text: sliceCodePoints(text, start, end) },
      }),
      createdAt: t.field({ type: 'DateTime', resolve: ({ annotation }) => annotation.createdAt }),
    }),
  })

  const BoxInput = builder.inputType('BoxInput', {
    description: 'Fractions of the upright picture, 0..1.',
    fields: (t) => ({
      x: t.float({ required: true }),
      y: t.float({ required: true }),
      width: t.float({ required: true }),
      height: t.float({ required: true }),
    }),
  })
  const SpanInput = builder.inputType('SpanInput', {
    description: 'Code points of the text, end excluded.',
    fields: (t) => ({ start: t.int({ required: true }), end: t.int({ required: true }) }),
  })
  const AnnotationInput = builder.inputType('AnnotationInput', {
    description: 'A note, with a box for pictures or a span for texts, or on the run as a whole.',
    fields: (t) => ({
      note: t.string({ required: true }),
      box: t.field({ type: BoxInput, required: false }),
      span: t.field({ type: SpanInput, required: false }),
    }),
  })

  builder.mutationField('annotate', (t) =>
    t.field({
      type: AnnotationRef,
      description: 'Adds a remark to a run.',
      args: {
        runId: t.arg.id({ required: true }),
        annotation: t.arg({ type: AnnotationInput, required: true }),
      },
      resolve: async (_root, { runId, annotation }, { parts }) => {
        const { note, box = null, span = null } = annotation
        const added = await annotateRun(parts, runId, { note, box, span })
        return { annotation: added, text: (await getRun(parts, runId)).text }
      },
    }),
  )
  builder.mutationField('deleteAnnotation', (t) =>
    t.boolean({
      description: 'False when there was no such annotation.',
      args: { id: t.arg.id({ required: true }) },
      resolve: (_root, { id }, { parts }) => deleteAnnotation(parts, id),
    }),
  )
  return { AnnotationRef, BoxInput, SpanInput }
}
export type AnnotationTypes = ReturnType<typeof addAnnotation>
