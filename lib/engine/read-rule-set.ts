/** A question's rule set, checked against those that an engine has. */
import { AppError } from '../errors.ts'
import { didYouMean, listed, quoted } from '../suggest.ts'
import type { Reference, RuleSet, RuleSetInfo } from './model.ts'
import type { TapId } from './tap-id.ts'

export const PLAIN_RULES: RuleSet = Object.freeze({ id: 'plain' })

/** A rule set of the engine with every parameter stated. */
export interface ReadChoice<Info extends RuleSetInfo> {
  readonly info: Info
  readonly params: Readonly<Record<string, unknown>>
}

export interface ReadRuleSet<Info extends RuleSetInfo> extends ReadChoice<Info> {
  /** By the tap that an operator makes. */
  readonly byTap: ReadonlyMap<TapId, ReadChoice<Info>>
  readonly reference: Reference | null
}

function refused(message: string, details: Readonly<Record<string, unknown>>): AppError {
  return new AppError({ code: 'BAD_PARAMETER', message, details })
}

function readChoice<Info extends RuleSetInfo>(
  id: string,
  given: Readonly<Record<string, unknown>>,
  infos: readonly Info[],
): ReadChoice<Info> {
  const info = infos.find((one) => one.id === id)
  if (info === undefined) {
    const ids = infos.map((one) => one.id)
    const message = `This engine has no rule set ${quoted(id)}.${didYouMean(id, ids)} It has ${listed(ids)}.`
    throw refused(message, { ruleSet: id, allowed: ids })
  }
  const parsed = info.params.safeParse(given)
  if (parsed.success) return { info, params: parsed.data }
  const fields = Object.keys(info.params.shape)
  const wrong = parsed.error.issues.map(({ path, message }) => [...path, message].join(': '))
  throw refused(`The rule set ${id}: ${wrong.join('; ')}. It takes ${listed(fields)}.`, {
    ruleSet: id,
    allowed: fields,
  })
}

/**
 * @throws AppError BAD_PARAMETER for an id or parameters that the engine does not have, and where a reference is missing or
 *   nothing asks for one.
 */
export function readRuleSet<Info extends RuleSetInfo>(ruleSet: RuleSet, infos: readonly Info[]): ReadRuleSet<Info> {
  const whole = readChoice(ruleSet.id, ruleSet.params ?? {}, infos)
  const byTap = new Map(
    Object.entries(ruleSet.byTap ?? {}).map(([tap, { id = ruleSet.id, params = {} }]) => {
      const around = id === ruleSet.id ? ruleSet.params : {}
      return [tap, readChoice(id, { ...around, ...params }, infos)] as const
    }),
  )
  const { feeds = {}, from = {} } = ruleSet.reference ?? {}
  const stated = Object.keys(feeds).length + Object.keys(from).length > 0
  const needing = [whole, ...byTap.values()].find(({ info }) => info.needsReference)
  if (needing !== undefined && !stated)
    throw refused(
      `The rule set ${needing.info.id} compares with a reference. State it: rules.reference, with feeds or taps of their own.`,
      { ruleSet: needing.info.id },
    )
  if (needing === undefined && ruleSet.reference !== undefined)
    throw refused(`The rule set ${ruleSet.id} takes no reference. Leave rules.reference out.`, { ruleSet: ruleSet.id })
  return { ...whole, byTap, reference: ruleSet.reference ?? null }
}
