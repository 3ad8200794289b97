/** What passes between the bench and a peer's process, and what the bench makes of a peer that misbehaves. */
import { chmod, mkdtemp, rm, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { agree, relativeDistance } from '../../../bench/peers/agreement.ts'
import { numbersIn, parseAnswer, Peer } from '../../../bench/peers/peer.ts'

describe('parseAnswer', () => {
  it('gives the fields of an answer', () => {
    expect(parseAnswer('{"milliseconds": [1.5, 2]}')).toEqual({ milliseconds: [1.5, 2] })
  })
  it.each([
    ['{"error": "KeyError: x"}', 'the peer failed: KeyError: x'],
    ['Loading weights...', 'the peer answered no JSON: Loading weights...'],
    ['[1]', 'the peer answered no object: [1]'],
    ['null', 'the peer answered no object: null'],
  ])('%s: %s', (line, message) => {
    expect(() => parseAnswer(line)).toThrow(message)
  })
})

describe('numbersIn', () => {
  it('gives a list of numbers', () => {
    expect(numbersIn({ logits: [1, -2] }, 'logits')).toEqual([1, -2])
  })
  it.each([{}, { logits: 3 }, { logits: ['1'] }, { logits: [null] }])('refuses %j', (answer) => {
    expect(() => numbersIn(answer, 'logits')).toThrow('"logits" is no list of numbers')
  })
})

describe('agree', () => {
  it('gives the distance relative to theirs', () => {
    expect(relativeDistance([3, 4.5], [3, 4])).toBeCloseTo(0.1, 12)
    expect(agree('x', [3, 4.5], [3, 4], 0.11)).toBeCloseTo(0.1, 12)
  })
  it('refuses answers that are further apart, are not numbers, or are not as many', () => {
    expect(() => agree('the map', [3, 4.5], [3, 4], 0.09)).toThrow('the map')
    expect(() => agree('the map', [3, NaN], [3, 4], 0.09)).toThrow('the map')
    expect(() => agree('the map', [3], [3, 4], 1)).toThrow('1 values of ours, 2 of theirs')
  })
})

describe('Peer', () => {
  let folder: string
  beforeAll(async () => {
    folder = await mkdtemp(join(tmpdir(), 'limelight-peer-'))
  })
  afterAll(() => rm(folder, { recursive: true, force: true }))

  /** An interpreter that answers every line by `body`, a function of the request. */
  async function interpreter(name: string, body: string): Promise<string> {
    const path = join(folder, name)
    const script = `#!${process.execPath}
require('node:readline').createInterface({ input: process.stdin }).on('line', (line) => {
  const request = JSON.parse(line)
  ${body}
})\n`
    await writeFile(path, script)
    await chmod(path, 0o755)
    return path
  }

  it('asks one request a line and reads the times of each call', async () => {
    const body = `console.log(JSON.stringify({ milliseconds: Array(request.calls).fill(request.options.batch) }))`
    const peer = new Peer(await interpreter('echo', body), 2, folder)
    const contestant = peer.contestant('resnet-18', 'score-cam', { batch: 5 })
    expect(await contestant(3)).toEqual([5, 5, 5])
    expect(await contestant(1)).toEqual([5])
    peer.close()
  })

  it('says what the interpreter said when it ends instead of answering', async () => {
    const body = `console.error("No module named 'torch'"); process.exit(1)`
    const peer = new Peer(await interpreter('dies', body), 2, folder)
    await expect(peer.versions()).rejects.toThrow("No module named 'torch'")
  })

  it('says so when there is no such interpreter', async () => {
    await expect(new Peer(join(folder, 'nothing'), 2, folder).versions()).rejects.toThrow('ENOENT')
  })
})
