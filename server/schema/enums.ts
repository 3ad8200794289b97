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
  return { Modality, RunStatus, DiagnosisSeverity }
}
export type Enums = ReturnType<typeof addEnums>
