/** How a text model is fed, from tokenizer_config.json, tokenizer.json and config.json. */
import { z } from 'zod'
import type { TextPreprocessing } from '../card.ts'
import type { HubConfig } from './hub-config.ts'
import { notForLimelight, type CardSources, type Guess } from './sources.ts'

const tokenizerConfig = z.looseObject({
  model_max_length: z.number().nullish(),
  do_lower_case: z.boolean().nullish(),
})

/** Tokenizers without a limit write 1e30. */
const NO_LIMIT = 1e6
const ASSUMED_LENGTH = 512
/** Families whose first positions are padding's: RoBERTa's embeddings start at `pad_token_id + 1`. */
const OFFSET_POSITIONS = /^(roberta|xlm-roberta|camembert|longformer|mpnet|xlm-roberta-xl|data2vec-text)$/

/** Whether tokenizer.json turns texts to lower case; null where there is none to ask. */
function lowersIn(tokenizerJson: unknown): boolean | null {
  if (typeof tokenizerJson !== 'object' || tokenizerJson === null || !('normalizer' in tokenizerJson)) return null
  const lowers = (part: unknown): boolean => {
    if (typeof part !== 'object' || part === null) return false
    const fields = part as Readonly<Record<string, unknown>>
    if (Array.isArray(fields['normalizers'])) return fields['normalizers'].some(lowers)
    return fields['type'] === 'Lowercase' || (fields['type'] === 'BertNormalizer' && fields['lowercase'] !== false)
  }
  return lowers(tokenizerJson.normalizer)
}

function positionsOf({ max_position_embeddings: most, n_positions, model_type: family }: HubConfig): number | null {
  const positions = most ?? n_positions ?? null
  if (positions === null || positions <= 0) return null // relative positions: any length
  return OFFSET_POSITIONS.test(family ?? '') ? positions - 2 : positions
}

/** @throws AppError BAD_MODEL without a tokenizer.json */
export function textPreprocessing(read: HubConfig, sources: CardSources, guesses: Guess[]): TextPreprocessing {
  if (sources.tokenizer === null)
    throw notForLimelight(
      'This text model has no tokenizer.json. Save its tokenizer with save_pretrained() of the fast class, which writes one.',
    )
  const parsed = tokenizerConfig.safeParse(sources.tokenizerConfig ?? {})
  const stated = parsed.success ? parsed.data : {}
  // A graph exported for one length takes no other.
  const fixed = sources.graph?.input[1] ?? null
  const limit = stated.model_max_length
  const limits = [positionsOf(read), typeof limit === 'number' && limit > 0 && limit < NO_LIMIT ? Math.floor(limit) : null, fixed]
  const known = limits.filter((one) => one !== null)
  if (known.length === 0)
    guesses.push({
      field: 'preprocessing.maxTokens',
      assumed: String(ASSUMED_LENGTH),
      why: 'neither model_max_length, max_position_embeddings nor the graph limits the length of a text',
    })
  const lowercase = lowersIn(sources.tokenizerJson) ?? stated.do_lower_case ?? null
  if (lowercase === null)
    guesses.push({ field: 'preprocessing.lowercase', assumed: 'false', why: 'neither tokenizer.json nor do_lower_case says it' })
  return {
    kind: 'text',
    maxTokens: known.length === 0 ? ASSUMED_LENGTH : Math.min(...known),
    truncation: 'head',
    lowercase: lowercase ?? false,
  }
}
