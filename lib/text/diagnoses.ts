/** What a reader must know about how a text was encoded: what was cut, and what the vocabulary does not know. */
import type { EncodedText } from './tokenizer.ts'

/** The shape of a method's Diagnosis; text may not know methods. */
export interface EncodingDiagnosis {
  readonly code: 'INPUT_TRUNCATED' | 'UNKNOWN_TOKENS'
  readonly severity: 'info' | 'warning'
  readonly message: string
}

const SHOWN = 5

export function encodingDiagnoses(encoded: EncodedText): readonly EncodingDiagnosis[] {
  return [...truncation(encoded), ...unknownTokens(encoded)]
}

function truncation({ ids, removed }: EncodedText): readonly EncodingDiagnosis[] {
  if (removed === null) return []
  return [
    {
      code: 'INPUT_TRUNCATED',
      severity: 'warning',
      message:
        `The text is longer than the ${ids.length} tokens that the model reads. ` +
        `Characters ${removed.start} to ${removed.end} (${removed.tokens} tokens) were left out: ` +
        'they had no part in the prediction and have no scores.',
    },
  ]
}

function unknownTokens({ tokens, unknown }: EncodedText): readonly EncodingDiagnosis[] {
  if (unknown.length === 0) return []
  const surfaces = [...new Set(unknown.map((position) => tokens[position]?.text ?? ''))]
  const quoted = surfaces.slice(0, SHOWN).map((surface) => `\u201c${shortened(surface)}\u201d`)
  const more = surfaces.length > SHOWN ? ` and ${surfaces.length - SHOWN} more` : ''
  return [
    {
      code: 'UNKNOWN_TOKENS',
      severity: 'info',
      message:
        `The model's vocabulary does not know ${quoted.join(', ')}${more}. ` +
        'It reads each as the same unknown token, so its score is that of something unknown standing there.',
    },
  ]
}

function shortened(surface: string): string {
  const characters = [...surface]
  return characters.length > 24 ? `${characters.slice(0, 23).join('')}\u2026` : surface
}
