import { readFileSync } from 'node:fs'
import {
  getNamedType,
  isListType,
  isNonNullType,
  isObjectType,
  Kind,
  parse,
  print,
  separateOperations,
  specifiedRules,
  validate,
} from 'graphql'
import { createClient } from 'graphql-ws'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import WebSocket from 'ws'
import { documentLimits, parseLimited } from '../../server/http/limits-rule.ts'
import { answerSizeOf } from '../../server/schema/answer-size.ts'
import { createSchema } from '../../server/schema/schema.ts'
import { startTestServer, type TestServer } from '../helpers/server.ts'

const schema = createSchema()
const refusals = (document: string) =>
  validate(schema, parseLimited(document), documentLimits).map(({ message, extensions }) => {
    expect(extensions).toMatchObject({ code: 'BAD_INPUT', details: { found: expect.any(Number) as number } })
    const { found, most } = extensions['details'] as { found: number; most: number }
    expect(found).toBeGreaterThan(most)
    return message
  })
const times = (count: number, part: (index: number) => string): string =>
  Array.from({ length: count }, (_, index) => part(index)).join(' ')

const PAGES = separateOperations(parse(readFileSync('app/_graphql/documents.graphql', 'utf8')))
/** Queries of the guide: in the bodies of its curl calls, and in its Python. */
const GUIDE = readFileSync('docs/graphql.md', 'utf8')
const GUIDE_QUERIES = [
  ...[...GUIDE.matchAll(/"query": "((?:[^"\\]|\\.)*)"/g)].map(([, query = '']) => query),
  ...[...GUIDE.matchAll(/query = """(.*?)"""/gs)].map(([, query = '']) => query),
]

describe('what is sent', () => {
  it.each(Object.keys(PAGES))('by the pages is allowed: %s', (name) => {
    const document = PAGES[name]
    if (document === undefined) throw new Error(name)
    expect(validate(schema, document, [...specifiedRules, ...documentLimits])).toEqual([])
  })

  it('after the guide is allowed', () => {
    expect(GUIDE_QUERIES.length).toBeGreaterThanOrEqual(2)
    for (const query of GUIDE_QUERIES)
      expect(validate(schema, parse(query), [...specifiedRules, ...documentLimits])).toEqual([])
  })
})

describe('the size of an answer', () => {
  const attribution = (alias: string): string =>
    `${alias}: attribution { ... on TextAttribution { tokens { text score } } ... on ImageAttribution { values } }`
  const page = (first: string, run: string): string => `runs(first: ${first}) { edges { node { ${run} } } }`

  it('is pages × runs × attributions × values: 15 kB that bring a server down are refused', () => {
    const query = `{ ${times(
      50,
      (at) =>
        `p${String(at)}: ${page(
          '100',
          times(4, (each) => attribution(`a${String(each)}`)),
        )}`,
    )} }`
    expect(refusals(query)).toEqual([
      expect.stringMatching(
        /^The document can answer with 1,\d{3},\d{3},\d{3} values; at most 3,000,000 are allowed\./,
      ),
    ])
    expect(refusals(query)[0]).toContain('smaller pages (first)')
  })

  it('counts the page that is asked for', () => {
    const values = 'attribution { ... on ImageAttribution { values } }'
    expect(refusals(`{ ${page('40', values)} }`)).toEqual([])
    expect(refusals(`{ ${page('100', values)} }`)).toHaveLength(1)
    // A page of more is refused where it is asked for; one of fewer than none takes nothing off.
    expect(refusals(`{ ${page('1000000', 'id')} b: ${page('-1000000', 'id')} }`)).toEqual([])
    expect(
      refusals(`{ ${page('-1000000', 'id')} ${times(4, (at) => `b${String(at)}: ${page('20', values)}`)} }`),
    ).toHaveLength(1)
  })

  it('takes the largest page for one in a variable, and the usual one where none is asked for', () => {
    const values = 'attribution { ... on ImageAttribution { values } }'
    expect(refusals(`query ($n: Int = 1) { ${page('$n', values)} }`)).toHaveLength(1)
    expect(refusals(`{ runs { edges { node { ${values} } } } }`)).toEqual([])
    expect(refusals(`{ ${page('null', values)} b: ${page('null', values)} c: ${page('null', values)} }`)).toHaveLength(
      1,
    )
  })

  it('counts the predictions that are asked for; all of a thousand classes where none are, or in a variable', () => {
    const query = (first: string, variable = ''): string =>
      `query ${variable} { ${times(20, (at) => `p${String(at)}: ${page('100', `predictions${first} { label }`)}`)} }`
    expect(refusals(query('(first: 5)'))).toEqual([])
    expect(refusals(query('(first: 1000000)'))).toHaveLength(1)
    expect(refusals(query(''))).toHaveLength(1)
    expect(refusals(query('(first: $n)', '($n: Int = 1)'))).toHaveLength(1)
  })

  it('counts fragments wherever they are spread, with the page around them', () => {
    const deep = `fragment Page on RunConnection { edges { node { ...Map } } } fragment Map on Run { attribution { ... on ImageAttribution { values } } }`
    expect(refusals(`{ runs(first: 10) { ...Page } } ${deep}`)).toEqual([])
    expect(refusals(`{ runs(first: 100) { ...Page } } ${deep}`)).toHaveLength(1)
    expect(refusals(`{ a: runs(first: 10) { ...Page } b: runs(first: 100) { ...Page } } ${deep}`)).toHaveLength(1)
  })

  it('weighs fragments of fragments in no time', () => {
    const doubling = times(40, (at) => `fragment F${String(at)} on Run { ...F${String(at + 1)} ...F${String(at + 1)} }`)
    expect(refusals(`{ run(id: "x") { ...F0 } } ${doubling} fragment F40 on Run { id }`)).toHaveLength(1)
  })

  it('counts what is read besides what is answered', () => {
    const many = `{ ${times(50, (at) => `p${String(at)}: ${page('100', 'attribution { __typename }')}`)} }`
    expect(refusals(many)).toHaveLength(1)
    expect(
      refusals(`{ ${page('100', 'id target { label } attribution { ... on ImageAttribution { overlayUrl } }')} }`),
    ).toEqual([])
  })

  it('leaves introspection alone', () => {
    expect(refusals('{ __schema { types { fields { args { type { name } } } } } }')).toEqual([])
  })

  it('every list says how long it is', () => {
    const silent = Object.values(schema.getTypeMap()).flatMap((type) => {
      if (!isObjectType(type) || type.name.startsWith('__')) return []
      return (
        Object.values(type.getFields())
          .filter((field) => isListType(isNonNullType(field.type) ? field.type.ofType : field.type))
          // As many as the page that was asked for has.
          .filter((field) => !(field.name === 'edges' && getNamedType(field.type).name.endsWith('Edge')))
          .filter((field) => answerSizeOf(field.extensions).assumedSize === undefined)
          .map((field) => `${type.name}.${field.name}`)
      )
    })
    expect(silent).toEqual([])
  })

  it('every field with a page size is a connection', () => {
    const paged = Object.values(schema.getQueryType()?.getFields() ?? {}).filter((field) =>
      field.args.some(({ name }) => name === 'first'),
    )
    expect(paged.map(({ name }) => name)).toEqual(['runs'])
    for (const field of paged) expect(answerSizeOf(field.extensions).page).toEqual({ default: 20, largest: 100 })
  })
})

describe('a document', () => {
  it('is refused with too many fields at its root, through fragments too', () => {
    const fields = (count: number): string => times(count, (at) => `a${String(at)}: __typename`)
    const sentence = 'The document has 51 fields at its root; at most 50 are allowed. Send several.'
    expect(refusals(`{ ${fields(50)} }`)).toEqual([])
    expect(refusals(`{ ${fields(51)} }`)).toEqual([sentence])
    expect(refusals(`{ ...F b: __typename } fragment F on Query { ...{ ${fields(50)} } }`)).toEqual([sentence])
    expect(refusals(`{ ...F ...F } fragment F on Query { ...G a: __typename } fragment G on Query { ...F }`)).toEqual(
      [],
    )
  })

  it('is refused with too many aliases or directives', () => {
    const aliases = times(2001, (at) => `a${String(at)}: id`)
    expect(refusals(`{ run(id: "x") { ${aliases} } }`)).toEqual([
      'The document has 2001 aliases; at most 2000 are allowed.',
    ])
    expect(refusals(`{ run(id: "x") { ${times(51, (at) => `a${String(at)}: id @include(if: true)`)} } }`)).toEqual([
      'The document has 51 directives; at most 50 are allowed.',
    ])
  })

  it('is not read to its end when it is too long', () => {
    expect(() => parseLimited(`{ ${'a '.repeat(20_000)} }`)).toThrow(/20000 tokens/)
    expect(parseLimited(`{ ${'a '.repeat(19_000)} }`).definitions[0]?.kind).toBe(Kind.OPERATION_DEFINITION)
  })

  it('of the pages is far from every limit', () => {
    for (const document of Object.values(PAGES)) expect(() => parseLimited(print(document))).not.toThrow()
  })
})

describe('the server', () => {
  let server: TestServer
  beforeAll(async () => {
    server = await startTestServer()
  })
  afterAll(() => server.remove())

  const query = `{ ${times(50, (at) => `p${String(at)}: runs(first: 100) { edges { node { predictions { label } } } }`)} }`
  const refusal = {
    message: expect.stringMatching(
      /^The document can answer with [\d,]+ values; at most 3,000,000 are allowed/,
    ) as string,
    extensions: { code: 'BAD_INPUT', details: { found: 12_510_050, most: 3_000_000 } },
  }

  it('refuses over HTTP', async () => {
    expect((await server.graphql(query)).errors).toEqual([expect.objectContaining(refusal)])
    const long = await server.graphql(`{ ${'a '.repeat(20_000)} }`)
    expect(long.errors).toMatchObject([{ message: expect.stringContaining('20000 tokens') as string }])
  })

  it('refuses over a WebSocket, and goes on serving', async () => {
    const client = createClient({
      url: `${server.url.replace('http', 'ws')}/graphql`,
      webSocketImpl: WebSocket,
      retryAttempts: 0,
    })
    const ask = (document: string) => client.iterate({ query: document }).next()
    await expect(ask(query)).rejects.toEqual([expect.objectContaining(refusal)])
    await expect(ask('subscription { a: runUpdated(id: "x") { id } }')).resolves.toMatchObject({
      value: { errors: [{ extensions: { code: 'NOT_FOUND' } }] },
    })
    await client.dispose()
  })
})
