import { expect, test } from 'vitest'
import { LocalNews } from '../../../server/jobs/job-news.ts'

test('progress is told for many jobs at once, never goes back, and is forgotten when a job has ended', async () => {
  const news = new LocalNews()
  const watch = news.watch('a')
  news.advance('a', 0.5)
  news.advance('b', 0.1)
  expect(await watch.changed()).toBe(true)
  expect(await news.progress(['a', 'b', 'c'])).toEqual(
    new Map([
      ['a', 0.5],
      ['b', 0.1],
    ]),
  )
  const next = watch.changed()
  news.advance('a', 0.4)
  expect(await news.progress(['a'])).toEqual(new Map([['a', 0.5]]))
  news.ended('a')
  expect(await next).toBe(true)
  expect(await news.progress(['a'])).toEqual(new Map())
  // The next attempt begins anew.
  news.advance('a', 0.1)
  expect(await news.progress(['a'])).toEqual(new Map([['a', 0.1]]))
  watch.close()
})
