import { describe, expect, test } from 'vitest'
import { z } from 'zod'
import { jobKind } from '../../../server/jobs/kind.ts'
import { LocalNews } from '../../../server/jobs/job-news.ts'
import type { JobStore } from '../../../server/jobs/job-store.ts'
import { createQueue, weightOf, type QueueOptions, type Weight } from '../../../server/jobs/queue.ts'
import { createLogger } from '../../../server/logger.ts'

/** A queue whose runs end when the test says so. */
function heldQueue(size: number) {
  const begun: string[] = []
  const ends = new Map<string, () => void>()
  const store: JobStore = {
    kind: jobKind({ id: 'any', payload: z.unknown(), outcome: z.unknown(), handle: () => Promise.resolve() }),
    begin: () => Promise.resolve({ payload: null, attempt: 1 }),
    complete: () => Promise.resolve(),
    fail: () => Promise.resolve(),
    requeue: () => Promise.resolve(),
  }
  const pool: QueueOptions['pool'] = {
    size,
    run: (_kind, job) =>
      new Promise((resolve) => {
        begun.push(job.id)
        ends.set(job.id, () => {
          resolve(undefined as never)
        })
      }),
  }
  const queue = createQueue({ stores: [store], pool, news: new LocalNews(), log: createLogger('silent') })
  /** Lets everything that can happen now happen. */
  const settle = () => new Promise((resolve) => setImmediate(resolve))
  return {
    enqueue: (id: string, weight: Weight) => queue.enqueue({ id, kind: 'any', weight }),
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
    const { enqueue, begun, settle, end } = heldQueue(2)
    enqueue('long review', 'heavy')
    enqueue('another review', 'heavy')
    await settle()
    expect(begun).toEqual(['long review'])
    enqueue('photo', 'light')
    await settle()
    expect(begun).toEqual(['long review', 'photo'])
    await end('long review')
    expect(begun).toEqual(['long review', 'photo', 'another review'])
  })

  test('light runs go before heavy ones, each kind in the order of arrival', async () => {
    const { enqueue, begun, settle, end } = heldQueue(1)
    enqueue('first', 'light')
    enqueue('heavy 1', 'heavy')
    enqueue('heavy 2', 'heavy')
    enqueue('light 1', 'light')
    enqueue('light 2', 'light')
    await settle()
    for (const done of ['first', 'light 1', 'light 2', 'heavy 1']) await end(done)
    expect(begun).toEqual(['first', 'light 1', 'light 2', 'heavy 1', 'heavy 2'])
  })

  test('with one worker a heavy run still runs', async () => {
    const { enqueue, begun, settle } = heldQueue(1)
    enqueue('review', 'heavy')
    await settle()
    expect(begun).toEqual(['review'])
  })

  test('50,000 that wait are begun one by one, the last as fast as the first', async () => {
    const { enqueue, begun, end } = heldQueue(1)
    const ids = Array.from({ length: 50_000 }, (_, index) => `run ${index}`)
    ids.forEach((id, index) => enqueue(id, index % 2 === 0 ? 'light' : 'heavy'))
    await end('nobody')
    // Copying all that wait at each step took 99 ms a step on the machine of the time: longer than any test may take.
    for (let done = 0; done < begun.length; done++) await end(begun[done] ?? '')
    expect(begun).toEqual([...ids.filter((_, index) => index % 2 === 0), ...ids.filter((_, index) => index % 2 === 1)])
  })

  test('a Grad-CAM is light, integrated gradients are heavy', () => {
    expect(weightOf(3)).toBe('light')
    expect(weightOf(771)).toBe('heavy')
  })
})
