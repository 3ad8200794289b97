import { describe, expect, it } from 'vitest'
import type { ExplainableModel } from '../../../../lib/engine/model.ts'
import { answersInBatches, batchesOf, bytesPerRow, rowsWithin } from '../../../../lib/methods/shared/batches.ts'
import { float32 } from '../../../../lib/tensor/tensor.ts'
import { TinyCnn, tinyFeed } from '../../../helpers/tiny-cnn.ts'

describe('batchesOf', () => {
  it.each([
    [7, 3, ['0+3', '3+3', '6+1']],
    [6, 3, ['0+3', '3+3']],
    [2, 5, ['0+2']],
    [0, 5, []],
  ])('%d rows, %d a question: %j', (total, perQuestion, expected) => {
    expect(batchesOf({ total, perQuestion }).map(({ first, count }) => `${first}+${count}`)).toEqual(expected)
  })

  it.each([0, -1, 1.5, NaN])('refuses %d rows a question', (perQuestion) => {
    expect(() => batchesOf({ total: 3, perQuestion })).toThrow('one row at least')
  })
})

describe('answersInBatches', () => {
  /** A model that tells when it is asked. */
  function watched() {
    const log: string[] = []
    const controller = new AbortController()
    const tiny = new TinyCnn()
    const asking = {
      model: {
        taps: tiny.taps,
        async ask(...[question, signal]: Parameters<ExplainableModel['ask']>) {
          log.push('asked')
          const answer = await tiny.ask(question, signal)
          log.push('answered')
          return answer
        },
      } as ExplainableModel,
      signal: controller.signal,
      progress: (fraction: number) => void log.push(`progress ${fraction}`),
    }
    return { log, controller, asking }
  }
  const question = () => ({ feeds: { input: tinyFeed() }, read: ['logits'] })

  it('makes, asks and hands over one batch after the other', async () => {
    const { log, asking } = watched()
    const made = (first: number) => {
      log.push(`made ${first}`)
      return question()
    }
    for await (const { first, count, answer } of answersInBatches(asking, { total: 5, perQuestion: 2 }, (batch) =>
      made(batch.first),
    )) {
      expect(answer.values['logits']?.dims).toEqual([1, 3])
      log.push(`taken ${first}+${count}`)
      await Promise.resolve()
    }
    const each = (first: number, count: number, progress: number) => [
      `made ${first}`,
      'asked',
      'answered',
      `taken ${first}+${count}`,
      `progress ${progress}`,
    ]
    expect(log).toEqual([...each(0, 2, 0.4), ...each(2, 2, 0.8), ...each(4, 1, 1)])
  })

  it('stops between batches when the run is cancelled', async () => {
    const { log, asking, controller } = watched()
    const taken: number[] = []
    const run = async () => {
      for await (const { first } of answersInBatches(asking, { total: 9, perQuestion: 3 }, question)) {
        taken.push(first)
        if (first === 3) controller.abort()
      }
    }
    await expect(run()).rejects.toMatchObject({ code: 'CANCELLED' })
    expect(taken).toEqual([0, 3])
    expect(log.filter((one) => one === 'asked')).toHaveLength(2)
  })

  it('asks no more when the caller has enough, and hands on what the model throws', async () => {
    const { log, asking } = watched()
    for await (const { first } of answersInBatches(asking, { total: 9, perQuestion: 1 }, question))
      if (first === 1) break
    expect(log.filter((one) => one === 'asked')).toHaveLength(2)
    const wrong = () => ({ feeds: { input: float32([1], [1]) }, from: {}, read: ['nowhere'] })
    await expect(answersInBatches(asking, { total: 1, perQuestion: 1 }, wrong).next()).rejects.toMatchObject({
      code: 'UNKNOWN_LAYER',
    })
  })
})

describe('the memory of a row', () => {
  const model = new TinyCnn()
  // Values of its taps: 108, 144, 144, 36, 45, 45, 5, 3.
  it('of a way forward: three of the largest value; with a way back: every value and its gradient', () => {
    expect(bytesPerRow(model, { gradient: false })).toBe(4 * 3 * 144)
    expect(bytesPerRow(model, { gradient: true })).toBe(4 * 2 * (108 + 144 + 144 + 36 + 45 + 45 + 5 + 3))
  })
  it('from a replaced tap on, only of what lies behind it', () => {
    expect(bytesPerRow(model, { gradient: false, from: 'conv2' })).toBe(4 * 3 * 45)
    expect(bytesPerRow(model, { gradient: true, from: 'gap' })).toBe(4 * 2 * (5 + 3))
  })
  it('counts extents that depend on the input as they are there', () => {
    const text = { ...model, taps: [{ ...model.taps[0], shape: [null, null, 8] }] } as unknown as ExplainableModel
    expect(bytesPerRow(text, { gradient: false, openExtent: 100 })).toBe(4 * 3 * 800)
  })
  it('makes rows, one at least', () => {
    const rows = (bytes: number, mostRows = 64) => rowsWithin(model, { bytes, mostRows, gradient: false })
    expect(rows(10 * 1728)).toBe(10)
    expect(rows(10 * 1728 - 1)).toBe(9)
    expect(rows(1e9)).toBe(64)
    expect(rows(1)).toBe(1)
  })
})
