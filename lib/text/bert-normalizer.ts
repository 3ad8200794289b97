/**
 * BERT's text normaliser, replayed character by character so that every normalised character knows the character of the
 * original it came from. Hugging Face's JavaScript tokenizer normalises whole strings and forgets positions; this gives
 * the same string (checked on every text by `tokenizer.ts`) with the positions.
 *
 * Source: BertNormalizer of @huggingface/tokenizers 0.2 (Devlin et al. 2018, BasicTokenizer). Its order is kept: clean
 * text, space out ideographs, lower case, strip accents.
 */

/** `normalizer` of tokenizer.json. */
export interface BertNormalizerConfig {
  readonly clean_text: boolean
  readonly handle_chinese_chars: boolean
  /** null: strip exactly when lower-casing. */
  readonly strip_accents: boolean | null
  readonly lowercase: boolean
}

/** Normalised characters, each with the index of its source in the original: indices never fall. */
export interface Traced {
  readonly characters: string[]
  readonly sources: number[]
}

/** Normalises `characters`; `first` is the position of `characters[0]` in the original. */
export function normalizeTraced(characters: readonly string[], first: number, config: BertNormalizerConfig): Traced {
  let traced: Traced = { characters: [...characters], sources: characters.map((_, index) => first + index) }
  if (config.clean_text) traced = flatMap(traced, cleaned)
  if (config.handle_chinese_chars) traced = flatMap(traced, (c) => (isIdeograph(c) ? [' ', c, ' '] : [c]))
  if (config.lowercase) traced = lowerCase(traced)
  if (config.strip_accents ?? config.lowercase) traced = stripAccents(traced)
  return traced
}

function flatMap(traced: Traced, replace: (character: string) => readonly string[]): Traced {
  const characters: string[] = []
  const sources: number[] = []
  traced.characters.forEach((character, index) => {
    for (const one of replace(character)) {
      characters.push(one)
      sources.push(traced.sources[index] ?? 0)
    }
  })
  return { characters, sources }
}

function cleaned(character: string): readonly string[] {
  if (character === '\t' || character === '\n' || character === '\r') return [' ']
  // U+FFFD stands for what could not be decoded; control, format (zero-width space, joiner) and private characters go.
  if (character === '\0' || character === '\uFFFD' || /[\p{Cc}\p{Cf}\p{Co}\p{Cs}]/u.test(character)) return []
  return /\s/u.test(character) ? [' '] : [character]
}

/** CJK ideographs of the basic plane. (The JavaScript tokenizer reads UTF-16 units here, so rarer planes stay joined.) */
function isIdeograph(character: string): boolean {
  const code = character.codePointAt(0) ?? 0
  return (code >= 0x4e00 && code <= 0x9fff) || (code >= 0x3400 && code <= 0x4dbf) || (code >= 0xf900 && code <= 0xfaff)
}

/** Lower case depends on neighbours (a final Greek sigma) but the number of characters each one becomes does not. */
function lowerCase(traced: Traced): Traced {
  const whole = [...traced.characters.join('').toLowerCase()]
  let position = 0
  return flatMap(traced, (character) => {
    const length = [...character.toLowerCase()].length
    position += length
    return whole.slice(position - length, position)
  })
}

/**
 * Canonical decomposition (NFD), then non-spacing marks are dropped. Decomposing one character at a time differs from
 * decomposing the string only in the order of marks within a run of marks, which is restored here.
 */
function stripAccents(traced: Traced): Traced {
  const decomposed = flatMap(traced, (character) => [...character.normalize('NFD')])
  const characters: string[] = []
  const sources: number[] = []
  const run: { readonly mark: string; readonly source: number }[] = []
  const endRun = (): void => {
    const waiting = new Map<string, number[]>()
    for (const { mark, source } of run) waiting.set(mark, [...(waiting.get(mark) ?? []), source])
    const ordered = run
      .map(({ mark }) => mark)
      .join('')
      .normalize('NFD')
    const kept = [...ordered].flatMap((mark) => {
      const source = waiting.get(mark)?.shift()
      return /\p{Mn}/u.test(mark) || source === undefined ? [] : [{ mark, source }]
    })
    // Kept marks that changed places share out their positions in rising order, so that spans stay in order.
    const positions = kept.map(({ source }) => source).sort((one, other) => one - other)
    kept.forEach(({ mark }, index) => {
      characters.push(mark)
      sources.push(positions[index] ?? 0)
    })
    run.length = 0
  }
  decomposed.characters.forEach((character, index) => {
    const source = decomposed.sources[index] ?? 0
    if (/\p{M}/u.test(character)) {
      run.push({ mark: character, source })
      return
    }
    if (run.length > 0) endRun()
    characters.push(character)
    sources.push(source)
  })
  if (run.length > 0) endRun()
  return { characters, sources }
}
