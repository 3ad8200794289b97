/** A model that is sent as a form: files under their paths in its folder. */
import { readdir } from 'node:fs/promises'
import { join } from 'node:path'
import { afterAll, afterEach, beforeAll, describe, expect, it } from 'vitest'
import { hubSettings } from '../../server/hub-settings.ts'
import { tinyBert, tinyResNet } from '../helpers/model-files.ts'
import { startTestServer, temporaryFolder, type TestServer } from '../helpers/server.ts'

const MOST_BYTES = 300_000

let server: TestServer
beforeAll(async () => {
  const cacheFolder = await temporaryFolder()
  server = await startTestServer({
    hub: { ...hubSettings({ HF_HUB_OFFLINE: '1' }, cacheFolder), maxBytes: MOST_BYTES },
  })
})
afterAll(() => server.remove())
afterEach(async () => {
  // Whatever became of it, nothing that was sent stays.
  expect(await readdir(join(server.folder, 'importing')).catch(() => [])).toEqual([])
})

/** The bytes of a form; a browser's own would not send names that lead out of a folder. */
function form(files: Record<string, Uint8Array | string>): { body: Buffer; type: string } {
  const boundary = 'limelight-test-boundary'
  const parts = Object.entries(files).flatMap(([path, content]) => [
    Buffer.from(
      `--${boundary}\r\ncontent-disposition: form-data; name="file"; filename="${path}"\r\ncontent-type: application/octet-stream\r\n\r\n`,
    ),
    Buffer.from(content as string),
    Buffer.from('\r\n'),
  ])
  return {
    body: Buffer.concat([...parts, Buffer.from(`--${boundary}--\r\n`)]),
    type: `multipart/form-data; boundary=${boundary}`,
  }
}

async function send(files: Record<string, Uint8Array | string>) {
  const { body, type } = form(files)
  const response = await fetch(`${server.url}/api/imports`, {
    method: 'POST',
    headers: { 'content-type': type },
    body: new Uint8Array(body),
  })
  return {
    status: response.status,
    answer: (await response.json()) as { importId?: string; error?: { code: string; message: string } },
  }
}

async function ended(id: string | undefined) {
  const { watchImport } = await import('../../server/services/import-model.ts')
  let last = null
  for await (const state of watchImport(server.parts, id ?? '')) last = state
  return last
}

const within = (folder: string, files: Record<string, Uint8Array | string>) =>
  Object.fromEntries(Object.entries(files).map(([path, content]) => [`${folder}/${path}`, content]))

describe('files that are sent', () => {
  it('as a folder become a model of its name', async () => {
    const { status, answer } = await send({ ...within('Tiny BERT', await tinyBert()), 'Tiny BERT/.DS_Store': 'x' })
    expect(status).toBe(202)
    const done = await ended(answer.importId)
    expect(done).toMatchObject({ status: 'DONE', name: 'Tiny BERT', guesses: [], trials: [{ problems: [] }] })
    expect(done?.entries.map(({ id }) => id)).toEqual(['tiny-bert'])
  })

  it('on their own are called as the graph; labels that no file names are a guess', async () => {
    const { 'model.onnx': graph = '' } = await tinyResNet()
    const { answer } = await send({ 'birds.onnx': graph })
    const done = await ended(answer.importId)
    expect(done?.status).toBe('DONE')
    expect(done?.entries.map(({ id, card }) => [id, card.labels.length])).toEqual([['birds', 7]])
    expect(done?.guesses.map(({ field }) => field)).toContain('labels')
  })

  it('that are no model are said to be none', async () => {
    const { answer } = await send({ 'notes.txt': 'hello' })
    expect(await ended(answer.importId)).toMatchObject({
      status: 'FAILED',
      error: { code: 'BAD_MODEL', message: expect.stringMatching(/no ONNX file/) },
    })
  })
})

describe('what is refused', () => {
  it.each(['../evil.onnx', '/etc/evil.onnx', 'a/../../evil.onnx', 'C:/evil.onnx', 'a\\\\..\\\\evil.onnx'])(
    'the name %s',
    async (path) => {
      const { status, answer } = await send({ [path]: 'x'.repeat(100) })
      expect(status).toBe(400)
      expect(answer.error).toMatchObject({ code: 'BAD_INPUT', message: expect.stringMatching(/leads out/) })
      expect((await readdir(join(server.folder, 'models'))).some((name) => name.includes('evil'))).toBe(false)
    },
  )

  it('one path twice', async () => {
    const { body, type } = form({ 'a.onnx': 'first' })
    const twice = Buffer.concat([
      body.subarray(0, body.length - Buffer.from('--limelight-test-boundary--\r\n').length),
      body,
    ])
    const response = await fetch(`${server.url}/api/imports`, {
      method: 'POST',
      headers: { 'content-type': type },
      body: new Uint8Array(twice),
    })
    expect(response.status).toBe(400)
  })

  it('more bytes than allowed', async () => {
    const { status, answer } = await send({
      'a.onnx': new Uint8Array(MOST_BYTES / 2 + 1),
      'b.onnx': new Uint8Array(MOST_BYTES / 2 + 1),
    })
    expect(status).toBe(400)
    expect(answer.error?.message).toMatch(/more than/)
  })

  it('what is no form', async () => {
    const response = await fetch(`${server.url}/api/imports`, {
      method: 'POST',
      headers: { 'content-type': 'application/json' },
      body: '{}',
    })
    expect(response.status).toBe(400)
  })
})
