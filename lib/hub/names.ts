/** Names that come from people or from a hub and become parts of addresses and paths. */
import { AppError } from '../errors.ts'
import type { HubModel } from './settings.ts'

const PART = '[A-Za-z0-9_](?:[A-Za-z0-9._-]*[A-Za-z0-9_])?'
// The hub's own rule: https://huggingface.co/docs/hub/repositories (no "--", no "..", at most 96 characters a part).
const NAME = new RegExp(`^${PART}(?:/${PART})?$`)
const REVISION = /^[A-Za-z0-9_][A-Za-z0-9._/-]*$/
const LONGEST = 200
export const COMMIT = /^[0-9a-f]{40}$/
export const DEFAULT_REVISION = 'main'

function badInput(message: string): AppError {
  return new AppError({ code: 'BAD_INPUT', message })
}

/** @throws AppError BAD_INPUT for what cannot name a repository or a revision */
export function hubModel(name: string, revision: string = DEFAULT_REVISION): HubModel {
  if (!NAME.test(name) || /--|\.\./.test(name) || name.length > LONGEST)
    throw badInput(
      `"${name}" is not the name of a model on the hub. It looks like org/name, for example distilbert/distilbert-base-uncased-finetuned-sst-2-english.`,
    )
  if (!REVISION.test(revision) || /\.\.|\/\/|\/$/.test(revision) || revision.length > LONGEST)
    throw badInput(`"${revision}" is not a revision: a branch, a tag, or a commit of 40 hexadecimal digits.`)
  return { name, revision }
}

/** `org/name@revision` as people write it. @throws AppError BAD_INPUT */
export function parseHubModel(text: string): HubModel {
  const at = text.indexOf('@')
  return at < 0 ? hubModel(text) : hubModel(text.slice(0, at), text.slice(at + 1))
}

/**
 * Whether a path, as a repository or an upload names it, stays inside the folder that it is put into, on every system.
 * As `_validate_relative_filename` of Python's huggingface_hub, and stricter: no empty parts.
 */
export function isInnerPath(path: string): boolean {
  const strange = ['\\', ':', '\0'].some((character) => path.includes(character))
  return !strange && path.split('/').every((part) => part !== '' && part !== '.' && part !== '..')
}
