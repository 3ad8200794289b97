import { existsSync } from 'node:fs'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { encoded } from '../helpers/images.ts'
import { EXPLAIN, type Explained } from '../helpers/requests.ts'
import { startTestServer, type TestServer } from '../helpers/server.ts'

describe('deleting', () => {
  let server: TestServer
  beforeAll(async () => {
    server = await startTestServer()
  })
  afterAll(() => server.remove())

  it('a run takes all that belongs to it along, and its picture with the last run that shows it', async () => {
    const image = { base64: (await encoded('jpeg')).toString('base64') }
    const explain = async (method: string) =>
      (await server.data<Explained>(EXPLAIN, { input: { model: 'pets-cnn', method, image } })).explain.id
    const remove = async (id: string) =>
      (await server.data<{ deleteRun: boolean }>('mutation ($id: ID!) { deleteRun(id: $id) }', { id })).deleteRun
    const one = await explain('grad-cam')
    const two = await explain('cam')
    await server.data('mutation ($id: ID!) { annotate(runId: $id, annotation: { note: "x" }) { id } }', { id: one })
    await server.data('mutation ($id: ID!) { shareRun(runId: $id) { id } }', { id: one })
    const asset = await server.parts.prisma.asset.findFirstOrThrow()
    const files = [server.parts.files.original(asset.id), server.parts.files.display(asset.id)]

    expect(await remove(one)).toBe(true)
    expect(await server.rows()).toMatchObject({ run: 1, result: 1, annotation: 0, shareLink: 0, asset: 1 })
    expect(files.every((file) => existsSync(file))).toBe(true)
    expect(await remove(one)).toBe(false)
    expect(await remove(two)).toBe(true)
    expect(await server.rows()).toMatchObject({ run: 0, result: 0, asset: 0 })
    expect(files.some((file) => existsSync(file))).toBe(false)

    const again = await explain('grad-cam')
    expect(again).not.toBe(one)
    expect(files.every((file) => existsSync(file))).toBe(true)
  })
})
