/** Token ids to what a text model is fed: which of its inputs holds what, and several texts padded to one length. */
import { AppError } from '../errors.ts'
import { int64, type Tensor } from '../tensor/tensor.ts'

/** What a text model's inputs hold; null for what it does not take. */
export interface InputRoles {
  readonly ids: string
  readonly mask: string | null
  readonly segments: string | null
  readonly positions: string | null
}

export interface TextFeeds {
  /** Each [N, T], T the length of the longest row. */
  readonly feeds: Readonly<Record<string, Tensor>>
  /** Tokens of each row before padding, [N]. */
  readonly lengths: readonly number[]
}

/**
 * What each input of a model holds, by the names that exporters give.
 * @throws AppError BAD_MODEL where an input is none of these, or no input takes token ids
 */
export function inputRoles(inputs: readonly string[]): InputRoles {
  const named = (pattern: RegExp): string | null => inputs.find((name) => pattern.test(name)) ?? null
  const mask = named(/mask/i)
  const segments = named(/type|segment/i)
  const positions = named(/position/i)
  const others = inputs.filter((name) => name !== mask && name !== segments && name !== positions)
  const [ids] = others
  if (ids === undefined || others.length > 1)
    throw new AppError({
      code: 'BAD_MODEL',
      message: `Of the inputs ${inputs.join(', ')} one must take token ids, beside a mask, token types and positions.`,
    })
  return { ids, mask, segments, positions }
}

/**
 * Several texts as one batch: shorter ones padded behind, where the mask is 0.
 * @param rows token ids with the special tokens
 * @param pad the id that fills a row up; 0 where the tokenizer has none
 */
export function feedsOf(rows: readonly (readonly number[])[], roles: InputRoles, pad: number | null): TextFeeds {
  const lengths = rows.map((row) => row.length)
  const longest = Math.max(0, ...lengths)
  const filled = (value: (row: readonly number[], at: number) => number): Tensor =>
    int64(
      rows.flatMap((row) => Array.from({ length: longest }, (_, at) => value(row, at))),
      [rows.length, longest],
    )
  return {
    feeds: {
      [roles.ids]: filled((row, at) => row[at] ?? pad ?? 0),
      ...(roles.mask === null ? {} : { [roles.mask]: filled((row, at) => (at < row.length ? 1 : 0)) }),
      ...(roles.segments === null ? {} : { [roles.segments]: filled(() => 0) }),
      ...(roles.positions === null ? {} : { [roles.positions]: filled((_, at) => at) }),
    },
    lengths,
  }
}
