import { readFileSync } from 'node:fs'
import { buildSchema, getIntrospectionQuery, printSchema } from 'graphql'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { createSchema, printedSchema } from '../../server/schema/schema.ts'
import { startTestServer, type TestServer } from '../helpers/server.ts'

describe('the schema', () => {
  it('is the committed schema.graphql; run `npx tsx server/print-schema.ts` after a change', () => {
    const committed = readFileSync(new URL('../../schema.graphql', import.meta.url), 'utf8')
    expect(printedSchema(createSchema())).toBe(committed)
    expect(printSchema(buildSchema(committed))).toBe(printSchema(createSchema()))
  })
})

describe('documents', () => {
  let server: TestServer
  beforeAll(async () => {
    server = await startTestServer()
  })
  afterAll(() => server.remove())

  it('may introspect', async () => {
    const { errors } = await server.graphql(getIntrospectionQuery())
    expect(errors).toBeUndefined()
  })

  it('are refused when they are too deep', async () => {
    const nested = (depth: number): string => (depth === 0 ? '' : `{ a ${nested(depth - 1)} }`)
    const messages = async (query: string) => (await server.graphql(query)).errors?.map(({ message }) => message)
    expect(await messages(nested(13))).toContain('The document is 13 fields deep; at most 12 are allowed.')
    expect((await messages(nested(12)))?.join(' ')).not.toContain('fields deep')
    // Counted through fragments too, and a cycle of them comes to an end.
    const spread = `query { a { ...F } } fragment F on Query ${nested(12)}`
    expect(await messages(spread)).toContain('The document is 13 fields deep; at most 12 are allowed.')
    expect((await messages('query { ...F } fragment F on Query { models { id } ...F }'))?.join(' ')).toContain('itself')
  })

  it('are refused when they ask for too much at once', async () => {
    const aliases = Array.from({ length: 51 }, (_, index) => `a${index}: __typename`).join(' ')
    const { errors } = await server.graphql(`{ ${aliases} }`)
    expect(errors?.[0]?.message).toContain('51 fields at its root')
    const wide = Array.from({ length: 2001 }, (_, index) => `a${index}: totalCount`).join(' ')
    expect((await server.graphql(`{ runs { ${wide} } }`)).errors?.[0]?.message).toContain('at most 2000')
  })

  it('get an error with a code when they are wrong', async () => {
    const unknownField = await server.graphql('{ nothing }')
    expect(unknownField.errors?.[0]?.extensions.code).toBe('GRAPHQL_VALIDATION_FAILED')
    const both = await server.graphql(
      'mutation { explain(input: { model: "a", method: "b", image: { base64: "x", assetId: "y" } }) { id } }',
    )
    expect(both.errors?.[0]).toMatchObject({
      message: expect.stringMatching(/ImageInput must have exactly one .*base64.*assetId/) as string,
      extensions: { code: 'BAD_INPUT' },
    })
  })
})
