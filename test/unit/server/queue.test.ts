import { describe, expect, test } from 'vitest'
import { createQueue, weightOf, type RunStore } from '../../../server/jobs/queue.ts'
import type { ExplainJob, ExplainOutcome } from '../../../server/jobs/protocol.ts'
import { createLogger } from '../../../server/logger.ts'

/** A queue whose runs end when the test says so. */
function heldQueue(size: number) {
  const begun: string[] = []
  const ends = new Map<string, () => void>()
  const store: RunStore = {
    begin: (runId) => Promise.resolve({ job: { runId } as ExplainJob, attempt: 1 }),
    complete: () => Promise.resolve(),
    fail: () => Promise.resolve(),
    requeue: () => Promise.resolve(),
  }
  const pool = {
    size,
    explain: (job: ExplainJob) =>
      new Promise<ExplainOutcome>((resolve) => {
        begun.push(job.runId)
        ends.set(job.runId, () => {
          resolve({} as ExplainOutcome)
        })
      }),
  }
  const queue = createQueue({ store, pool, log: createLogger('silent') })
  /** Lets everything that can happen now happen. */
  const settle = () => new Promise((resolve) => setImmediate(resolve))
  return {
    queue,
    begun,
    settle,
    end: async (runId: string) => {
      ends.get(runId)?.()
      await settle()
    },
  }
}

describe('the order of runs', () => {
  test('a heavy run leaves the last worker to light ones', async () => {
    const { queue, begun, settle, end } = heldQueue(2)
    queue.enqueue('long review', 'heavy')
    queue.enqueue('another review', 'heavy')
    await settle()
    expect(begun).toEqual(['long review'])
    queue.enqueue('photo', 'light')
    await settle()
    expect(begun).toEqual(['long review', 'photo'])
    await end('long review')
    expect(begun).toEqual(['long review', 'photo', 'another review'])
  })

  test('light runs go before heavy ones, each kind in the order of arrival', async () => {
    const { queue, begun, settle, end } = heldQueue(1)
    queue.enqueue('first', 'light')
    queue.enqueue('heavy 1', 'heavy')
    queue.enqueue('heavy 2', 'heavy')
    queue.enqueue('light 1', 'light')
    queue.enqueue('light 2', 'light')
    await settle()
    for (const done of ['first', 'light 1', 'light 2', 'heavy 1']) await end(done)
    expect(begun).toEqual(['first', 'light 1', 'light 2', 'heavy 1', 'heavy 2'])
  })

  test('with one worker a heavy run still runs', async () => {
    const { queue, begun, settle } = heldQueue(1)
    queue.enqueue('review', 'heavy')
    await settle()
    expect(begun).toEqual(['review'])
  })

  test('a Grad-CAM is light, integrated gradients are heavy', () => {
    expect(weightOf(3)).toBe('light')
    expect(weightOf(771)).toBe('heavy')
  })
})
