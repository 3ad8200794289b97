import { AppError } from '../../lib/errors.ts'
import { cancelRun } from '../services/cancel-run.ts'
import { createRun } from '../services/create-run.ts'
import { deleteRun } from '../services/delete-run.ts'
import { getRun } from '../services/get-run.ts'
import { waitForRun, watchRun } from '../services/watch-run.ts'
import type { Builder } from './builder.ts'
import type { Enums } from './enums.ts'
import type { RunTypes } from './run.ts'
import { ownView } from './run-view.ts'

/** The longest a request is kept waiting: ten minutes. */
const LONGEST_WAIT_MS = 600_000

export function checkWait(waitMs: number): number {
  if (waitMs >= 0 && waitMs <= LONGEST_WAIT_MS) return waitMs
  throw new AppError({ code: 'BAD_INPUT', message: `waitMs is ${waitMs}; it must be 0 to ${LONGEST_WAIT_MS}.` })
}

function addInputs(builder: Builder, { TargetKind }: Enums) {
  const ImageInput = builder.inputType('ImageInput', {
    isOneOf: true,
    description: 'Exactly one of the two.',
    fields: (t) => ({
      base64: t.string({ description: 'The bytes of a picture of at most 20 MB, base64-encoded.' }),
      assetId: t.id({ description: 'What POST /api/images answered.' }),
    }),
  })
  const ClassInput = builder.inputType('ClassInput', {
    description: 'A class, by its label or by its index.',
    fields: (t) => ({ label: t.string({ required: false }), index: t.int({ required: false }) }),
  })
  const WeightedClassInput = builder.inputType('WeightedClassInput', {
    description: 'A class, by its label or by its index, and how much of its logit is taken away.',
    fields: (t) => ({
      label: t.string({ required: false }),
      index: t.int({ required: false }),
      weight: t.float({ required: true }),
    }),
  })
  const TargetInput = builder.inputType('TargetInput', {
    description:
      'The number that is explained: of a class, by its label or by its index (left out: the predicted one), or of several. What the kind does not take is refused.',
    fields: (t) => ({
      label: t.string({ required: false }),
      index: t.int({ required: false }),
      kind: t.field({ type: TargetKind, required: false, description: 'LOGIT when left out.' }),
      against: t.field({
        type: ClassInput,
        required: false,
        description: 'Of a MARGIN: the other class; left out, the mean of all others.',
      }),
      others: t.field({ type: [WeightedClassInput], required: false, description: 'Of a CONTRAST.' }),
      classes: t.field({ type: [ClassInput], required: false, description: 'Of a SUM.' }),
      embedding: t.floatList({ required: false, description: 'Of a COSINE: as many numbers as the model answers.' }),
    }),
  })
  const ExplainInput = builder.inputType('ExplainInput', {
    description: 'What to explain, and how. Exactly one of image and text.',
    fields: (t) => ({
      model: t.id({ required: true }),
      method: t.id({ required: true }),
      image: t.field({ type: ImageInput, required: false }),
      text: t.string({ required: false }),
      name: t.string({
        required: false,
        description: "What to call the input in the history, for example the file's name. Has no part in the result.",
      }),
      target: t.field({
        type: TargetInput,
        required: false,
        description: 'Left out: the logit of the predicted class.',
      }),
      targets: t.field({
        type: [TargetInput],
        required: false,
        description: 'Instead of `target`: several, a map for each (`Run.maps`).',
      }),
      layers: t.idList({
        required: false,
        description:
          "Instead of a `layer` among the params: several of the method's layers, a map for each, or for each with each target: by layer, then by target. At most 64 maps.",
      }),
      allLayers: t.boolean({
        required: false,
        description:
          'Instead of `layers`: every layer where the method can be asked, in network order, as many as fit. Without the picture itself; of a layer and the norm or activation right behind it the last; of more than fit, as many at even distances, the first, the last and the default one among them.',
      }),
      params: t.field({
        type: 'JSON',
        required: false,
        description: "An object as the method's paramsSchema says; what is left out takes its default.",
      }),
      seed: t.int({ required: false, description: 'For methods that draw random numbers; 0 when left out.' }),
    }),
  })
  return { ExplainInput, ImageInput, TargetInput }
}

export function addExplain(builder: Builder, types: RunTypes & Enums) {
  const { RunRef } = types
  const { ExplainInput, ...inputs } = addInputs(builder, types)

  builder.mutationField('explain', (t) =>
    t.field({
      type: RunRef,
      description:
        'Asks for an explanation. The same question answers the stored run. waitMs > 0: answer when the run has ended or the time is up, whichever is first.',
      args: {
        input: t.arg({ type: ExplainInput, required: true }),
        waitMs: t.arg.int({ required: false, defaultValue: 0 }),
      },
      resolve: async (_root, { input, waitMs }, { parts }) => {
        const wait = checkWait(waitMs ?? 0)
        const run = await createRun(parts, {
          model: input.model,
          method: input.method,
          image: input.image ?? null,
          text: input.text ?? null,
          name: input.name ?? null,
          target: input.target ?? null,
          targets: input.targets ?? null,
          layers: input.layers?.map(String) ?? null,
          allLayers: input.allLayers ?? null,
          params: input.params ?? null,
          seed: input.seed ?? null,
        })
        return ownView(await waitForRun(parts, run, wait))
      },
    }),
  )
  builder.mutationField('cancelRun', (t) =>
    t.field({
      type: RunRef,
      description: 'Stops a run that has not ended; one that has ended stays as it is.',
      args: { id: t.arg.id({ required: true }) },
      resolve: async (_root, { id }, { parts }) => ownView(await cancelRun(parts, id)),
    }),
  )
  builder.mutationField('deleteRun', (t) =>
    t.boolean({
      description:
        'Deletes a run with its notes and links, and its picture if no other run shows it. False: no such run.',
      args: { id: t.arg.id({ required: true }) },
      resolve: (_root, { id }, { parts }) => deleteRun(parts, id),
    }),
  )
  builder.subscriptionField('runUpdated', (t) =>
    t.field({
      type: RunRef,
      description: 'The run now, and again whenever its status or progress changes; ends when the run has ended.',
      args: { id: t.arg.id({ required: true }) },
      // An error is told before anything is watched: as the answer to the subscription, not as the end of one.
      subscribe: async (_root, { id }, { parts }) => {
        await getRun(parts, id)
        return watchRun(parts, id)
      },
      resolve: (run) => ownView(run),
    }),
  )
  return inputs
}

export type ExplainTypes = ReturnType<typeof addExplain>
