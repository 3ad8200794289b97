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
  const TargetKind = builder.enumType('TargetKind', {
    description: 'Which number of the model is explained. S_c is the logit of the class, p_c its probability.',
    values: {
      LOGIT: { value: 'logit', description: 'S_c, the score before the softmax or sigmoid.' },
      PROBABILITY: { value: 'probability', description: 'p_c: hardly reacts to anything where it is near 0 or 1.' },
      LOG_ODDS: { value: 'log-odds', description: 'log(p_c / (1 - p_c)).' },
      MARGIN: { value: 'margin', description: 'S_c less the logit of another class, or less the mean of all others.' },
      CONTRAST: { value: 'contrast', description: 'S_c less the weighted logits of others.' },
      SUM: { value: 'sum', description: 'The sum of several logits.' },
      REGRESSION: { value: 'regression', description: 'One output of a regression, as it is.' },
      COSINE: { value: 'cosine', description: 'The cosine between the output and a given embedding, -1..1.' },
    } as const,
  })
  return { Modality, RunStatus, DiagnosisSeverity, Link, TargetKind }
}
export type Enums = ReturnType<typeof addEnums>
