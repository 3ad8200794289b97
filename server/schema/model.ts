import { AppError } from '../../lib/errors.ts'
import type { EngineInfo, Tap } from '../../lib/engine/model.ts'
import type { Method } from '../../lib/methods/method.ts'
import { layersFor, placeFor, whyUnavailable } from '../../lib/methods/place.ts'
import type { CatalogueEntry } from '../../lib/models/catalogue.ts'
import type { ModelCard } from '../../lib/models/card.ts'
import type { ModelProblem } from '../../lib/models/models-folder.ts'
import type { ModelDescription } from '../jobs/kinds/describe.ts'
import { answerSize } from './answer-size.ts'
import type { Builder } from './builder.ts'
import type { Context } from './context.ts'
import type { Enums } from './enums.ts'
import type { MethodTypes } from './method.ts'

/** A model of the catalogue, or (`entry` null) one that an old run used and that has changed or gone since. */
export interface ModelView {
  readonly id: string
  readonly card: ModelCard
  readonly sha256: string
  readonly entry: CatalogueEntry | null
}

export function viewOf(entry: CatalogueEntry): ModelView {
  return { id: entry.id, card: entry.card, sha256: entry.sha256, entry }
}

export async function describe(model: ModelView, { parts }: Context): Promise<ModelDescription> {
  if (model.entry !== null) return parts.describe(model.entry)
  throw new AppError({
    code: 'UNKNOWN_MODEL',
    message: `The model ${model.id} has changed or gone since this run; its layers cannot be listed any more.`,
  })
}

export function addModel(builder: Builder, { Modality, Link }: Enums, { MethodRef }: MethodTypes) {
  const Figure = builder.objectRef<ModelCard['figures'][number]>('Figure').implement({
    description: 'A measured figure of a model, with the command that measures it.',
    fields: (t) => ({
      dataset: t.exposeString('dataset'),
      n: t.exposeInt('n', { description: 'How many examples were measured.' }),
      metric: t.exposeString('metric'),
      value: t.exposeFloat('value'),
      command: t.exposeString('command'),
    }),
  })
  const Engine = builder.objectRef<EngineInfo>('Engine').implement({
    description: 'What computes the predictions of a model.',
    fields: (t) => ({
      name: t.exposeString('name', { description: "'onnx' (ONNX Runtime) or 'tfjs' (TensorFlow.js)." }),
      backend: t.exposeString('backend', {
        description:
          "What it computes on: 'cpu' of ONNX Runtime; 'tensorflow-gpu', 'tensorflow', 'wasm' or 'cpu' of TensorFlow.js.",
      }),
      version: t.exposeString('version', { description: 'Of ONNX Runtime or TensorFlow.js.' }),
      reason: t.exposeString('reason', {
        description:
          "Why this backend; for TensorFlow.js which faster ones were tried first, and what was wrong with each. '' when it was the first choice.",
      }),
    }),
  })
  const TapRef = builder.objectRef<Tap>('Tap').implement({
    description: 'A tensor of a model that a method can be asked at: a layer.',
    fields: (t) => ({
      id: t.exposeID('id'),
      label: t.exposeString('label'),
      kind: t.exposeString('kind'),
      operator: t.exposeString('operator'),
      shape: t.field({
        type: ['Int'],
        nullable: { list: false, items: true },
        extensions: answerSize({ assumedSize: 5 }),
        description: 'Shape at batch 1; null where it depends on the input.',
        resolve: (tap) => [...tap.shape],
      }),
      spatial: t.exposeBoolean('spatial', { description: 'True where CAM methods can be asked here.' }),
      differentiable: t.exposeBoolean('differentiable'),
      reason: t.string({ nullable: true, resolve: (tap) => tap.reason ?? null }),
      mapOf: t.id({
        nullable: true,
        description: 'The tap that this one shows as a map [N, C, H, W]: tokens on a grid, or channels last.',
        resolve: (tap) => tap.mapOf ?? null,
      }),
      note: t.string({ nullable: true, description: 'What it leaves out.', resolve: (tap) => tap.note ?? null }),
    }),
  })
  const MethodAvailability = builder
    .objectRef<{ method: Method; reason: string | null; layers: readonly string[]; defaultLayer: string | null }>(
      'MethodAvailability',
    )
    .implement({
      description: 'Whether a method can explain a model, and if not, why.',
      fields: (t) => ({
        method: t.field({ type: MethodRef, resolve: ({ method }) => method }),
        available: t.boolean({ resolve: ({ reason }) => reason === null }),
        reason: t.exposeString('reason', { nullable: true }),
        layers: t.idList({
          description:
            'The layers it can be asked at, in the order of the network; none for a method that has no layer.',
          extensions: answerSize({ assumedSize: 300 }),
          resolve: ({ layers }) => [...layers],
        }),
        defaultLayer: t.id({
          nullable: true,
          description: 'The one that is meant when none is named.',
          resolve: ({ defaultLayer }) => defaultLayer,
        }),
      }),
    })
  const ModelRef = builder.objectRef<ModelView>('Model').implement({
    description:
      'A trained network. `engine`, `taps`, `defaultTap`, `link`, `notes` and `methods` load it when it is not loaded yet; they are null, with an error that says why, where it cannot be loaded.',
    fields: (t) => ({
      id: t.exposeID('id'),
      title: t.string({ resolve: ({ card }) => card.title }),
      summary: t.string({ resolve: ({ card }) => card.summary }),
      modality: t.field({ type: Modality, resolve: ({ card }) => card.preprocessing.kind }),
      labels: t.stringList({
        description: 'The classes, by index.',
        extensions: answerSize({ assumedSize: 1000 }),
        resolve: ({ card }) => card.labels,
      }),
      license: t.string({ resolve: ({ card }) => card.license }),
      architecture: t.string({ resolve: ({ card }) => card.provenance.architecture }),
      data: t.string({ description: 'What it was trained on.', resolve: ({ card }) => card.provenance.data }),
      sha256: t.exposeString('sha256', {
        description: 'Of the weights and of what gives their numbers a meaning (labels, preprocessing).',
      }),
      figures: t.field({
        type: [Figure],
        extensions: answerSize({ assumedSize: 10 }),
        resolve: ({ card }) => card.figures,
      }),
      engine: t.field({
        type: Engine,
        nullable: true,
        description: 'Which engine and backend compute this model, and why. Loads the model when it is not loaded yet.',
        resolve: async (model, _args, context) => (await describe(model, context)).engine,
      }),
      taps: t.field({
        type: [TapRef],
        nullable: true,
        description: 'In the order of the network.',
        extensions: answerSize({ assumedSize: 300 }),
        resolve: async (model, _args, context) => [...(await describe(model, context)).facts.taps],
      }),
      defaultTap: t.id({
        nullable: true,
        description: 'The layer that is meant when none is named.',
        resolve: async (model, _args, context) => (await describe(model, context)).facts.defaultTap,
      }),
      link: t.field({
        type: Link,
        nullable: true,
        description: 'How its probabilities come of its logits.',
        resolve: async (model, _args, context) => (await describe(model, context)).facts.link,
      }),
      notes: t.stringList({
        nullable: true,
        description:
          'Sentences about how the model is understood that its user must know, such as outputs that look like probabilities of an unknown kind. Loads the model and tries it.',
        extensions: answerSize({ assumedSize: 5 }),
        resolve: async (model, _args, context) => [...(await describe(model, context)).notes],
      }),
      methods: t.field({
        type: [MethodAvailability],
        nullable: true,
        description: "The methods of the model's modality.",
        extensions: answerSize({ assumedSize: 50 }),
        resolve: async (model, _args, context) => {
          const { facts } = await describe(model, context)
          return context.parts.methods
            .filter((method) => method.modality === model.card.preprocessing.kind)
            .map((method) => {
              const reason = whyUnavailable(method, facts)
              if (reason !== null) return { method, reason, layers: [], defaultLayer: null }
              const layers = layersFor(method, facts).map(({ id }) => id)
              return { method, reason, layers, defaultLayer: placeFor(method, null, facts)?.id ?? null }
            })
        },
      }),
    }),
  })

  const ModelProblemRef = builder.objectRef<ModelProblem>('ModelProblem').implement({
    description: "A folder among the user's own models that is left out.",
    fields: (t) => ({
      folder: t.exposeString('folder', { description: 'Its name.' }),
      message: t.exposeString('message', { description: 'For people: what is wrong with it and what to do.' }),
    }),
  })

  builder.queryField('modelProblems', (t) =>
    t.field({
      type: [ModelProblemRef],
      description: "Folders among the user's own models that cannot be offered, and why.",
      extensions: answerSize({ assumedSize: 20 }),
      resolve: async (_root, _args, { parts }) => [...(await parts.catalogue.problems())],
    }),
  )
  builder.queryField('models', (t) =>
    t.field({
      type: [ModelRef],
      description: "Every model this server offers: the bundled ones, then the user's own.",
      extensions: answerSize({ assumedSize: 50 }),
      resolve: async (_root, _args, { parts }) => (await parts.catalogue.list()).map(viewOf),
    }),
  )
  builder.queryField('model', (t) =>
    t.field({
      type: ModelRef,
      nullable: true,
      description: 'One model; null when there is none of this id.',
      args: { id: t.arg.id({ required: true }) },
      resolve: async (_root, { id }, { parts }) => {
        const entry = (await parts.catalogue.list()).find((one) => one.id === id)
        return entry === undefined ? null : viewOf(entry)
      },
    }),
  )
  return { ModelRef }
}
export type ModelTypes = ReturnType<typeof addModel>
