import { describe, expect, test } from 'vitest'
import { z } from 'zod'
import { AppError } from '../../../lib/errors.ts'
import { jobKind } from '../../../server/jobs/kind.ts'
import { LocalNews } from '../../../server/jobs/job-news.ts'
import type { JobStore } from '../../../server/jobs/job-store.ts'
import { createQueue, type QueueOptions } from '../../../server/jobs/queue.ts'
import { jointId, weightOf, type Weight } from '../../../server/jobs/queued-job.ts'
import { createLogger } from '../../../server/logger.ts'

/** A queue whose runs end when the test says so. */
function heldQueue(size: number) {
  const begun: string[] = []
  const completed: string[] = []
  const aborted: string[] = []
  const ends = new Map<string, () => void>()
  const news = new LocalNews()
  const store: JobStore = {
    kind: jobKind({ id: 'any', payload: z.unknown(), outcome: z.unknown(), handle: () => Promise.resolve() }),
    recover: () => Promise.resolve({ queued: [], failed: 0 }),
    begin: () => Promise.resolve({ payload: null, attempt: 1 }),
    complete: (id) => Promise.resolve(void completed.push(id)),
    waitingFor: (id) => Promise.resolve(id === 'run' ? [{ id: 'judged', kind: 'any', weight: 'light' }] : []),
    fail: () => Promise.resolve(),
    requeue: () => Promise.resolve(),
  }
  const pool: QueueOptions['pool'] = {
    size,
    run: (_kind, job, { signal, progress }) =>
      new Promise((resolve, reject) => {
        begun.push(job.id)
        progress(0.5)
        signal.addEventListener('abort', () => {
          aborted.push(job.id)
          reject(new AppError({ code: 'CANCELLED', message: 'stopped' }))
        })
        ends.set(job.id, () => {
          resolve(undefined as never)
        })
      }),
  }
  const queue = createQueue({ stores: [store], pool, news, log: createLogger('silent') })
  /** Lets everything that can happen now happen. */
  const settle = () => new Promise((resolve) => setImmediate(resolve))
  return {
    enqueue: (id: string, weight: Weight) => queue.enqueue({ id, kind: 'any', weight }),
    stop: (id: string) => queue.stop(id),
    begun,
    completed,
    aborted,
    news,
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

describe('one job behind several rows', () => {
  const joint = jointId(['a', 'b', 'c'])

  test('has one place and one progress, and takes one worker', async () => {
    const { enqueue, begun, completed, news, settle, end } = heldQueue(2)
    enqueue(joint, 'light')
    enqueue('other', 'light')
    await settle()
    expect(begun).toEqual([joint, 'other'])
    expect([...(await news.progress(['a', 'b', 'c']))]).toEqual([
      ['a', 0.5],
      ['b', 0.5],
      ['c', 0.5],
    ])
    await end(joint)
    expect(completed).toEqual([joint])
    expect((await news.progress(['a', 'b', 'c'])).size).toBe(0)
  })

  test('goes on without a row that is stopped, and stops with the last', async () => {
    const { enqueue, stop, completed, aborted, settle, end } = heldQueue(1)
    enqueue(joint, 'light')
    await settle()
    stop('b')
    expect(aborted).toEqual([])
    await end(joint)
    expect(completed).toEqual([jointId(['a', 'c'])])
    enqueue(jointId(['d', 'e']), 'light')
    await settle()
    stop('d')
    stop('e')
    await settle()
    expect(aborted).toEqual([jointId(['d', 'e'])])
    expect(completed).toHaveLength(1)
  })

  test('keeps a row that is asked for again waiting until it has ended', async () => {
    const { enqueue, stop, begun, settle, end } = heldQueue(2)
    enqueue(joint, 'light')
    await settle()
    stop('b')
    enqueue('b', 'light')
    await settle()
    expect(begun).toEqual([joint])
    await end(joint)
    expect(begun).toEqual([joint, 'b'])
  })
})

test('what waited for a job is begun when it is done', async () => {
  const { enqueue, begun, settle, end } = heldQueue(1)
  enqueue('run', 'light')
  await settle()
  await end('run')
  await settle()
  expect(begun).toEqual(['run', 'judged'])
})
