/** The rule sets that every engine has, as it describes them: what becomes of a cotangent at a rectifier. */
import { z } from 'zod'
import type { RuleSetInfo } from './model.ts'

const described = <Id extends string>(id: Id, summary: string) =>
  Object.freeze({ id, summary, params: z.strictObject({}), needsReference: false }) satisfies RuleSetInfo

export const PLAIN = described('plain', 'The gradient.')
/** Springenberg 2014, 1412.6806, section 3.4. */
export const GUIDED_RELU = described(
  'guided-relu',
  'Rectifiers pass positive gradients only, and those where they were open.',
)
/** Zeiler and Fergus 2014, 1311.2901, section 2.1. */
export const DECONVNET = described(
  'deconvnet',
  'Rectifiers pass positive gradients only, whether they were open or not.',
)
