/** Pages of the history as clients see them: what a cursor is, what an empty page says, what is refused in which words. */
import { afterAll, beforeAll, expect, it } from 'vitest'
import { startTestServer, type TestServer } from '../helpers/server.ts'

interface Page {
  readonly runs: {
    readonly totalCount: number
    readonly pageInfo: {
      readonly hasNextPage: boolean
      readonly hasPreviousPage: boolean
      readonly startCursor: string | null
      readonly endCursor: string | null
    }
    readonly edges: readonly { readonly cursor: string; readonly node: { readonly id: string } }[]
  }
}

const PAGE = `query ($first: Int, $after: String, $search: String) {
  runs(first: $first, after: $after, search: $search) {
    totalCount pageInfo { hasNextPage hasPreviousPage startCursor endCursor } edges { cursor node { id } }
  }
}`

/** Two of one moment, so that the id has to tell them apart. */
const RUNS = [
  { id: 'oldest', createdAt: new Date('2026-01-01T00:00:00.000Z') },
  { id: 'same-a', createdAt: new Date('2026-01-02T00:00:00.000Z') },
  { id: 'same-b', createdAt: new Date('2026-01-02T00:00:00.000Z') },
  { id: 'newest', createdAt: new Date('2026-01-03T00:00:00.000Z') },
]
/** Bookmarked pages and scripts hold cursors: this form of them is a promise. */
const cursorOf = (time: string, id: string): string => Buffer.from(`${time} ${id}`).toString('base64url')

let server: TestServer
beforeAll(async () => {
  server = await startTestServer()
  const { prisma } = server.parts
  const version = { id: 'm@0', sha256: '0', modelId: 'm', card: '{}', createdAt: new Date(0) }
  await prisma.modelVersion.create({ data: version })
  for (const { id, createdAt } of RUNS)
    await prisma.run.create({
      data: {
        id,
        key: id,
        status: 'CANCELLED',
        modality: 'text',
        modelId: 'm',
        modelVersionId: 'm@0',
        methodId: 'gradient-norm',
        methodVersion: 1,
        params: '{}',
        seed: 0,
        text: 'A text.',
        createdAt,
        queuedAt: createdAt,
      },
    })
})
afterAll(() => server.remove())

const page = async (variables: Record<string, unknown>) => (await server.data<Page>(PAGE, variables)).runs
const idsOf = ({ edges }: Page['runs']) => edges.map(({ node: { id } }) => id)

it('is newest first, and goes on behind a cursor', async () => {
  const first = await page({ first: 2 })
  expect(idsOf(first)).toEqual(['newest', 'same-b'])
  expect(first.totalCount).toBe(4)
  expect(first.pageInfo).toEqual({
    hasNextPage: true,
    hasPreviousPage: false,
    startCursor: cursorOf('2026-01-03T00:00:00.000Z', 'newest'),
    endCursor: cursorOf('2026-01-02T00:00:00.000Z', 'same-b'),
  })
  expect(first.edges.map(({ cursor }) => cursor)).toEqual([first.pageInfo.startCursor, first.pageInfo.endCursor])
  const second = await page({ first: 2, after: first.pageInfo.endCursor })
  expect(idsOf(second)).toEqual(['same-a', 'oldest'])
  expect(second.pageInfo).toMatchObject({ hasNextPage: false, hasPreviousPage: true })
  expect(idsOf(await page({}))).toHaveLength(4)
})

it('an empty page begins and ends nowhere', async () => {
  const nowhere = { hasNextPage: false, startCursor: null, endCursor: null }
  expect((await page({ search: 'nothing like it' })).pageInfo).toEqual({ ...nowhere, hasPreviousPage: false })
  const behind = await page({ after: cursorOf('2020-01-01T00:00:00.000Z', 'x') })
  expect(behind).toMatchObject({ totalCount: 4, edges: [], pageInfo: { ...nowhere, hasPreviousPage: true } })
})

it.each([0, -1, 101])('a page of %d is refused', async (first) => {
  const { errors } = await server.graphql(PAGE, { first })
  const message = `first is ${String(first)}; a page has 1 to 100 runs.`
  expect(errors).toMatchObject([{ message, extensions: { code: 'BAD_INPUT' } }])
})

it.each(['', 'abc', Buffer.from('OffsetConnection:3').toString('base64'), cursorOf('not a time', 'x')])(
  'the cursor %j of another list is refused',
  async (after) => {
    const { errors } = await server.graphql(PAGE, { after })
    const message = 'after is not a cursor of this list. Use pageInfo.endCursor of the page before, unchanged.'
    expect(errors).toMatchObject([{ message, extensions: { code: 'BAD_INPUT' } }])
  },
)
