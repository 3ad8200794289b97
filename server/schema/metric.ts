import { z } from 'zod'
import { METRIC_FAMILIES, type Metric, type MetricFamily } from '../../lib/metrics/metric.ts'
import { answerSize } from './answer-size.ts'
import type { Builder } from './builder.ts'
import type { Enums } from './enums.ts'
import type { MethodTypes } from './method.ts'

const FAMILIES: Readonly<Record<MetricFamily, string>> = {
  faithfulness: 'Does the explanation follow what the model does?',
  robustness: 'Does it stay the same where the input hardly changes?',
  sanity: 'Does it depend on the model and on the class at all?',
  localisation: 'Does it lie where a person marked the picture?',
  plausibility: 'Does it lie on the words that a person marked?',
  complexity: 'Is it short?',
}

export function addMetric(builder: Builder, { Modality }: Enums, { Paper }: MethodTypes) {
  const Family = builder.enumType('MetricFamily', {
    description: 'What a metric asks of an explanation.',
    values: Object.fromEntries(
      METRIC_FAMILIES.map((family) => [family.toUpperCase(), { value: family, description: FAMILIES[family] }]),
    ) as Record<Uppercase<MetricFamily>, { value: MetricFamily; description: string }>,
  })
  const Better = builder.enumType('Better', {
    description: 'The direction in which better explanations lie.',
    values: { HIGHER: { value: 'higher' }, LOWER: { value: 'lower' } } as const,
  })
  const MetricRef = builder.objectRef<Metric>('Metric').implement({
    description:
      'A way to judge an explanation. No metric alone says that an explanation is right; they often disagree.',
    fields: (t) => ({
      id: t.exposeID('id'),
      version: t.exposeInt('version', { description: 'Rises when its numbers change.' }),
      modality: t.field({ type: Modality, resolve: (metric) => metric.modality }),
      family: t.field({ type: Family, resolve: (metric) => metric.family }),
      title: t.exposeString('title'),
      summary: t.exposeString('summary'),
      meaning: t.exposeString('meaning', { description: 'What the numbers mean, in a paragraph.' }),
      misleads: t.exposeString('misleads', { description: 'When they mislead, in a paragraph.' }),
      paper: t.field({ type: Paper, nullable: true, resolve: (metric) => metric.paper }),
      better: t.field({ type: Better, resolve: (metric) => metric.better }),
      needsAnnotation: t.exposeBoolean('needsAnnotation', {
        description: 'True where it compares with what a person marked: boxes on a picture, spans of a text.',
      }),
      paramsSchema: t.field({
        type: 'JSON',
        description:
          'JSON Schema (draft 2020-12) of `params`, an object; every field has a title, a description and a default.',
        resolve: (metric) => z.toJSONSchema(metric.params, { target: 'draft-2020-12', io: 'input' }),
      }),
    }),
  })

  builder.queryField('metrics', (t) =>
    t.field({
      type: [MetricRef],
      description: 'Every metric, or those for explanations of one modality.',
      extensions: answerSize({ assumedSize: 100 }),
      args: { modality: t.arg({ type: Modality, required: false }) },
      resolve: (_root, { modality }, { parts }) =>
        parts.metrics.filter((metric) => modality == null || metric.modality === modality),
    }),
  )
  return { MetricRef }
}
export type MetricTypes = ReturnType<typeof addMetric>
