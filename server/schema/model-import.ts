import type { Guess } from '../../lib/models/making/sources.ts'
import type { ModelImport } from '../imports.ts'
import { getImport, importModel, watchImport } from '../services/import-model.ts'
import { answerSize } from './answer-size.ts'
import type { Builder } from './builder.ts'
import { viewOf, type ModelTypes } from './model.ts'

export function addModelImport(builder: Builder, { ModelRef }: ModelTypes): void {
  const ImportStatus = builder.enumType('ImportStatus', {
    description: 'How far an import has come. DONE, FAILED and CANCELLED are final.',
    values: {
      QUEUED: { description: 'Another import is running.' },
      RUNNING: { description: 'Files are fetched, or the model is tried.' },
      DONE: { description: 'The model is offered. `problems` says what its first try found.' },
      FAILED: { description: 'There is no model; `error` says why.' },
      CANCELLED: { description: 'Stopped on request. What has arrived is kept for the next time.' },
    } as const,
  })
  const ImportError = builder.objectRef<{ code: string; message: string }>('ImportError').implement({
    description: 'Why an import failed.',
    fields: (t) => ({
      code: t.exposeString('code', { description: 'Stable, for scripts.' }),
      message: t.exposeString('message', { description: 'For people: what happened and what to do.' }),
    }),
  })
  const GuessRef = builder.objectRef<Guess>('ImportGuess').implement({
    description: 'Something about a model that none of its files states.',
    fields: (t) => ({
      field: t.exposeString('field', { description: 'As in card.json: `preprocessing.mean`.' }),
      assumed: t.exposeString('assumed', { description: 'What stands in the card now, in words.' }),
      why: t.exposeString('why', { description: 'Why it had to be guessed.' }),
    }),
  })
  const ModelImportRef = builder.objectRef<ModelImport>('ModelImport').implement({
    description: 'A model on its way in. Remembered until the server stops.',
    fields: (t) => ({
      id: t.exposeID('id'),
      name: t.exposeString('name', { description: 'Of the repository, or of the files that were sent.' }),
      status: t.field({ type: ImportStatus, resolve: ({ status }) => status }),
      progress: t.exposeFloat('progress', { description: '0..1' }),
      doing: t.exposeString('doing', { description: "For people: what is being done now; '' when it has ended." }),
      error: t.field({ type: ImportError, nullable: true, resolve: ({ error }) => error }),
      commit: t.exposeString('commit', {
        nullable: true,
        description: 'What the revision was, 40 hexadecimal digits.',
      }),
      models: t.field({
        type: [ModelRef],
        description: 'What is offered now: one for each format. Their `methods` say what can be asked of them.',
        extensions: answerSize({ assumedSize: 2 }),
        resolve: ({ entries }) => entries.map(viewOf),
      }),
      guesses: t.field({
        type: [GuessRef],
        description: 'What was guessed, to be looked at and corrected in card.json.',
        extensions: answerSize({ assumedSize: 10 }),
        resolve: ({ guesses }) => [...guesses],
      }),
      inputs: t.stringList({
        description: 'What the model reads, with shapes.',
        extensions: answerSize({ assumedSize: 5 }),
        resolve: ({ trials }) => [...new Set(trials.flatMap(({ inputs }) => inputs))],
      }),
      problems: t.stringList({
        description:
          'For people: what the first try found wrong. It asks for one prediction and one gradient of each of two inputs.',
        extensions: answerSize({ assumedSize: 5 }),
        resolve: ({ trials }) => trials.flatMap(({ problems }) => problems),
      }),
    }),
  })

  builder.mutationField('importModel', (t) =>
    t.field({
      type: ModelImportRef,
      description:
        'Fetches a classifier from the Hugging Face hub and makes a card of its files. Answers at once; `importUpdated` tells how it goes.',
      args: {
        name: t.arg.string({ required: true, description: '`org/name`, or `org/name@revision`.' }),
        revision: t.arg.string({
          required: false,
          description: 'A branch, tag or commit; the main branch when left out.',
        }),
        file: t.arg.string({
          required: false,
          description: 'Path of the ONNX file; the usual one (onnx/model.onnx, model.onnx, ..._fp16) when left out.',
        }),
      },
      resolve: (_root, { name, revision, file }, { parts }) =>
        importModel(parts, { name, revision: revision ?? null, file: file ?? null }),
    }),
  )
  builder.mutationField('cancelImport', (t) =>
    t.field({
      type: ModelImportRef,
      description: 'Stops an import that has not ended; one that has ended stays as it is.',
      args: { id: t.arg.id({ required: true }) },
      resolve: (_root, { id }, { parts }) => parts.imports.cancel(getImport(parts, id).id) ?? getImport(parts, id),
    }),
  )
  builder.queryField('modelImport', (t) =>
    t.field({
      type: ModelImportRef,
      nullable: true,
      description: 'One import; null when there is none of this id since the server started.',
      args: { id: t.arg.id({ required: true }) },
      resolve: (_root, { id }, { parts }) => parts.imports.find(id),
    }),
  )
  builder.subscriptionField('importUpdated', (t) =>
    t.field({
      type: ModelImportRef,
      description: 'The import now, and again whenever something of it changes; ends when the import has ended.',
      args: { id: t.arg.id({ required: true }) },
      subscribe: (_root, { id }, { parts }) => {
        getImport(parts, id)
        return watchImport(parts, id)
      },
      resolve: (one) => one,
    }),
  )
}
