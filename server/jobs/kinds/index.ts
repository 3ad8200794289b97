/** Every kind of job a worker does. */
import type { JobKind } from '../kind.ts'
import { compareKind } from './compare.ts'
import { describeKind } from './describe.ts'
import { evaluateKind } from './evaluate.ts'
import { explainKind } from './explain.ts'
import { statisticsKind } from './statistics.ts'
import { tryModelKind } from './try-model.ts'

export const KINDS: readonly JobKind[] = [
  tryModelKind,
  compareKind,
  describeKind,
  explainKind,
  evaluateKind,
  statisticsKind,
]
