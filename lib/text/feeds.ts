/** Token ids to what a text model is fed: which of its inputs holds what, and several texts padded to one length. */
import { AppError } from '../errors.ts'
import { int64, type Tensor, type TensorType } from '../tensor/tensor.ts'

/** One of a model's inputs, as its graph states it. */
export interface TextInput {
  readonly name: string
  /** int64 where it is not known. */
  readonly type?: TensorType
  /** null for an axis of any extent; left out where the shape is not known. */
  readonly dims?: readonly (number | null)[]
}

/** What is not in a model's inputs, and its tokenizer tells. */
export interface Conventions {
  /** The position of the first token: 0, or behind the padding's id in RoBERTa and what follows it. */
  readonly firstPosition: number
  /** What a decoder is fed before the text's own tokens; null where there is no such token. */
  readonly decoderStart: number | null
}

const USUAL: Conventions = { firstPosition: 0, decoderStart: null }

/** What a text model's inputs hold; null for what it does not take. */
export interface InputRoles extends Conventions {
  readonly ids: string
  readonly mask: string | null
  readonly segments: string | null
  readonly positions: string | null
  /** Of an encoder-decoder: the text once more, one place later. */
  readonly decoderIds: string | null
  readonly decoderMask: string | null
  /** Tokens in a row where the graph fixes them: shorter rows are padded to it, longer ones have to be cut before. */
  readonly length: number | null
  /** Texts in a batch where the graph fixes them. */
  readonly rows: number | null
  /** By input: what its values are. */
  readonly types: Readonly<Record<string, TensorType>>
}

export interface TextFeeds {
  /** Each [N, T], T the length of the longest row, or the one that the model fixes. */
  readonly feeds: Readonly<Record<string, Tensor>>
  /** Tokens of each row before padding, [N]. */
  readonly lengths: readonly number[]
}

// As exporters name them: Hugging Face (attention_mask, token_type_ids), Google (input_mask, segment_ids), TensorFlow Hub
// (input_word_ids, input_type_ids), Keras (token_ids, padding_mask).
const MASK = /mask/i
const SEGMENTS = /type|segment/i
const POSITIONS = /position/i
const DECODER = /^decoder_|_decoder_/i

/**
 * What each input of a model holds: by its name, and by whether a table of [N, T] of its type can hold that.
 * @param inputs as the graph states them; names alone where no more is known
 * @param conventions of the model's tokenizer
 * @throws AppError BAD_MODEL where an input is none of these, or no input takes token ids, or their fixed extents differ
 */
export function inputRoles(inputs: readonly (string | TextInput)[], conventions: Conventions = USUAL): InputRoles {
  const all = inputs.map((input): TextInput => (typeof input === 'string' ? { name: input } : input))
  const misfit = all.find(({ dims }) => dims !== undefined && dims.length !== 2)
  if (misfit !== undefined)
    throw badInputs(all, `"${misfit.name}" has ${misfit.dims?.length ?? 0} axes, where [texts, tokens] is read`)
  const ofDecoder = conventions.decoderStart === null ? [] : all.filter(({ name }) => DECODER.test(name))
  const ofText = all.filter((input) => !ofDecoder.includes(input))
  const decoderMask = only(ofDecoder, ({ name }) => MASK.test(name))
  const decoderIds = only(ofDecoder, (input) => input !== decoderMask)
  if (ofDecoder.length > [decoderIds, decoderMask].filter((one) => one !== null).length)
    throw badInputs(
      all,
      `of the decoder's, ${ofDecoder.map(({ name }) => name).join(', ')}, only ids and a mask are made`,
    )
  // What is no whole number can only be a mask: ids, types and positions are looked up in tables.
  const looksUp = ({ type = 'int64' }: TextInput): boolean => type === 'int64' || type === 'int32'
  const mask = only(ofText, ({ name }) => MASK.test(name)) ?? only(ofText, (input) => !looksUp(input))
  const others = ofText.filter((input) => input !== mask)
  const float = others.find((input) => !looksUp(input))
  if (float !== undefined) throw badInputs(all, `"${float.name}" takes ${float.type ?? ''}, and is no mask`)
  const segments = only(others, ({ name }) => SEGMENTS.test(name))
  const positions = only(others, ({ name }) => POSITIONS.test(name))
  const [ids, more] = others.filter((input) => input !== segments && input !== positions)
  if (ids === undefined) throw badInputs(all, 'none is left to take token ids')
  if (more !== undefined)
    throw badInputs(all, `which of "${ids.name}" and "${more.name}" takes them its name does not say`)
  return {
    ids: ids.name,
    mask: mask?.name ?? null,
    segments: segments?.name ?? null,
    positions: positions?.name ?? null,
    decoderIds: decoderIds?.name ?? null,
    decoderMask: decoderMask?.name ?? null,
    ...conventions,
    rows: fixed(all, 0),
    length: fixed(all, 1),
    types: Object.fromEntries(all.map(({ name, type = 'int64' }) => [name, type])),
  }
}

/**
 * Several texts as one batch: shorter ones padded behind, where the mask is 0.
 * @param rows token ids with the special tokens
 * @param pad the id that fills a row up; 0 where the tokenizer has none
 * @throws AppError BAD_INPUT where a row, or their number, is more than the model fixes
 */
export function feedsOf(rows: readonly (readonly number[])[], roles: InputRoles, pad: number | null): TextFeeds {
  const lengths = rows.map((row) => row.length)
  const longest = lengths.reduce((most, length) => Math.max(most, length), 0)
  const width = roles.length ?? longest
  if (longest > width || (roles.rows !== null && rows.length !== roles.rows))
    throw new AppError({
      code: 'BAD_INPUT',
      message:
        `The model reads ${roles.rows ?? 'any number of'} texts of ${width} tokens at once, and was given ${rows.length} ` +
        `of up to ${longest}. Export it with dynamic axes for batch and sequence.`,
    })
  const table = (
    name: string | null,
    value: (row: readonly number[], at: number) => number,
  ): Record<string, Tensor> => {
    if (name === null) return {}
    const values = rows.flatMap((row) => Array.from({ length: width }, (_, at) => value(row, at)))
    return { [name]: typed(values, [rows.length, width], roles.types[name] ?? 'int64') }
  }
  return {
    feeds: {
      ...table(roles.ids, (row, at) => row[at] ?? pad ?? 0),
      ...table(roles.mask, (row, at) => (at < row.length ? 1 : 0)),
      ...table(roles.segments, () => 0),
      ...table(roles.positions, (row, at) => position(at, row.length, roles.firstPosition)),
      ...table(roles.decoderIds, (row, at) =>
        at === 0 ? (roles.decoderStart ?? pad ?? 0) : (row[at - 1] ?? pad ?? 0),
      ),
      ...table(roles.decoderMask, (row, at) => (at < row.length ? 1 : 0)),
    },
    lengths,
  }
}

/** Where positions begin behind the padding's id, padding has that id for its position. */
function position(at: number, length: number, first: number): number {
  return first > 0 && at >= length ? first - 1 : first + at
}

/** The one input of which it holds; null where it holds of none or of several. */
function only(inputs: readonly TextInput[], holds: (input: TextInput) => boolean): TextInput | null {
  const [found, another] = inputs.filter(holds)
  return found === undefined || another !== undefined ? null : found
}

/** The extent of an axis where an input states one. */
function fixed(inputs: readonly TextInput[], axis: number): number | null {
  const stated = inputs.flatMap(({ dims }) => dims?.[axis] ?? [])
  if (new Set(stated).size > 1) throw badInputs(inputs, `they fix different extents (${stated.join(', ')})`)
  return stated[0] ?? null
}

function typed(values: readonly number[], dims: readonly number[], type: TensorType): Tensor {
  if (type === 'int64') return int64(values, dims)
  const data = { float32: Float32Array, int32: Int32Array, bool: Uint8Array }[type].from(values)
  return { type, dims, data }
}

function badInputs(inputs: readonly TextInput[], found: string): AppError {
  return new AppError({
    code: 'BAD_MODEL',
    message:
      `Of the inputs ${inputs.map(({ name }) => name).join(', ')} one must take token ids, beside a mask, token types and ` +
      `positions: ${found}.`,
  })
}
