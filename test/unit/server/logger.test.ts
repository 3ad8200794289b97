import { describe, expect, it } from 'vitest'
import { formatLine } from '../../../server/logger.ts'

describe('a log line', () => {
  it('is for people: time, level, message, fields, cause', () => {
    const time = Date.parse('2030-01-02T03:04:05Z')
    expect(formatLine(JSON.stringify({ level: 30, time, msg: 'run done', model: 'pets-cnn', ms: 12 }))).toBe(
      '03:04:05 info  run done model=pets-cnn ms=12\n',
    )
    const failed = { level: 50, time, msg: 'no', err: { message: 'disk full', stack: 'Error: disk full\n    at x' } }
    expect(formatLine(JSON.stringify(failed))).toBe('03:04:05 error no\nError: disk full\n    at x\n')
    expect(formatLine('not json\n')).toBe('not json\n')
  })
})
