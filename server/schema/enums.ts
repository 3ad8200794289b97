import type { Builder } from './builder.ts'

export function addEnums(builder: Builder) {
  const Modality = builder.enumType('Modality', {
    description: 'What a model reads and a method explains.',
    values: { IMAGE: { value: 'image' }, TEXT: { value: 'text' } } as const,
  })
  const RunStatus = builder.enumType('RunStatus', {
    description: 'How far a run has come. DONE, FAILED and CANCELLED are final.',
    values: {
      QUEUED: { description: 'Stored, waiting for a worker.' },
      RUNNING: { description: 'A worker computes it.' },
      DONE: { description: 'The result is stored.' },
      FAILED: { description: 'There is no result; `error` says why. Asking again tries again.' },
      CANCELLED: { description: 'Stopped on request. Asking again runs it.' },
    } as const,
  })
  const DiagnosisSeverity = builder.enumType('DiagnosisSeverity', {
    description: 'Whether a diagnosis is only worth knowing or changes how far the result can be trusted.',
    values: { INFO: { value: 'info' }, WARNING: { value: 'warning' } } as const,
  })
  const Link = builder.enumType('Link', {
    description: "How a model's scores become probabilities.",
    values: {
      SOFTMAX: { value: 'softmax', description: 'Over all classes together: they sum to 1.' },
      SIGMOID: { value: 'sigmoid', description: 'Each class for itself: several can be near 1, or none.' },
      NONE: { value: 'none', description: 'Not at all: the outputs are values, as of a regression.' },
    } as const,
  })
  return { Modality, RunStatus, DiagnosisSeverity, Link }
}
export type Enums = ReturnType<typeof addEnums>
