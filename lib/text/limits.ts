/** What counts as a text that can be explained. Everything counts Unicode code points, never UTF-16 units. */
import { AppError } from '../errors.ts'

/** Longest text accepted, in words (runs without white space) and in code points. */
export const MAX_WORDS = 20_000
export const MAX_CHARACTERS = 200_000
/** Unicode normalisation is quadratic in the length of a run of combining marks, and no script stacks even a dozen. */
const MAX_COMBINING_MARKS = 500

const number = (value: number): string => value.toLocaleString('en-US')

/** `text[start:end]` as Python would slice it: by code points. */
export function sliceCodePoints(text: string, start: number, end: number): string {
  return [...text].slice(start, end).join('')
}

/**
 * The code points of a text, after checking that it can be explained at all.
 * @throws AppError BAD_TEXT (not a string, empty, only white space, broken Unicode, a heap of combining marks),
 *   TEXT_TOO_LONG (more than {@link MAX_WORDS} words or {@link MAX_CHARACTERS} characters).
 */
export function checkedCodePoints(text: unknown): readonly string[] {
  if (typeof text !== 'string')
    throw new AppError({ code: 'BAD_TEXT', message: `The text must be a string, found ${typeof text}.` })
  // A code point has at most two units, so this bound keeps the next line cheap whatever is sent.
  if (text.length > 2 * MAX_CHARACTERS)
    throw tooLong(`about ${number(Math.round(text.length / 1000) * 1000)} characters`)
  const characters = [...text]
  if (characters.length > MAX_CHARACTERS) throw tooLong(`${number(characters.length)} characters`)
  const words = text.match(/\S+/gu)?.length ?? 0
  if (words > MAX_WORDS) throw tooLong(`${number(words)} words`)
  if (words === 0)
    throw new AppError({
      code: 'BAD_TEXT',
      message: text === '' ? 'The text is empty.' : 'The text holds only white space.',
      userMessage: 'There is no text to explain. Type or paste at least one word.',
    })
  let marks = 0
  characters.forEach((character, position) => {
    if (/\p{Cs}/u.test(character))
      throw new AppError({
        code: 'BAD_TEXT',
        message: `lone surrogate U+${character.charCodeAt(0).toString(16).toUpperCase()} at character ${position}`,
        userMessage:
          `The text is broken at character ${position}: it holds half of a character (a lone surrogate), ` +
          'as happens when an emoji is cut in two. Copy the text again or delete that character.',
        details: { position },
      })
    if (/\p{M}/u.test(character)) marks += 1
    else if (!/\p{C}/u.test(character)) marks = 0
    if (marks > MAX_COMBINING_MARKS)
      throw new AppError({
        code: 'BAD_TEXT',
        message: `more than ${MAX_COMBINING_MARKS} combining marks in a row, up to character ${position}`,
        userMessage:
          `The text stacks more than ${MAX_COMBINING_MARKS} accents on one letter (around character ${position}). ` +
          'Remove them and try again.',
        details: { position },
      })
  })
  return characters
}

function tooLong(found: string): AppError {
  return new AppError({
    code: 'TEXT_TOO_LONG',
    message: `text of ${found}, limit ${MAX_WORDS} words and ${MAX_CHARACTERS} characters`,
    userMessage:
      `The text has ${found}; the limit is ${number(MAX_WORDS)} words and ${number(MAX_CHARACTERS)} characters. ` +
      'Explain a shorter part of it.',
    details: { maxWords: MAX_WORDS, maxCharacters: MAX_CHARACTERS },
  })
}
