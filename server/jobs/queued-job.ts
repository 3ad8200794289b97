/** What a queue is told of a job. */

/**
 * How long a job may keep a worker. Light ones go first, and heavy ones never take the last worker: a Grad-CAM does not
 * wait minutes behind a long review.
 */
export type Weight = 'light' | 'heavy'

/** Forward passes up to which a job is light. */
const LIGHT_COST = 20

export function weightOf(cost: number): Weight {
  return cost <= LIGHT_COST ? 'light' : 'heavy'
}

export interface QueuedJob {
  /** Of its row, unique among all kinds; of several rows that one job computes {@link jointId}. */
  readonly id: string
  /** The kind's id. */
  readonly kind: string
  readonly weight: Weight
}

const JOINT = '+'

/** The id of one job behind several rows. Those that are cancelled before it ends leave it; without any it is stopped. */
export function jointId(rows: Iterable<string>): string {
  return [...rows].join(JOINT)
}

/** The rows behind a job. */
export function rowsOf(id: string): readonly string[] {
  return id.split(JOINT)
}
