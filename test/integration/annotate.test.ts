import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { encoded } from '../helpers/images.ts'
import { EXPLAIN, textInput, type Explained } from '../helpers/requests.ts'
import { startTestServer, type TestServer } from '../helpers/server.ts'

const ANNOTATE = `mutation ($id: ID!, $annotation: AnnotationInput!) {
  annotate(runId: $id, annotation: $annotation) { id note box { x y width height } span { start end text } createdAt }
}`

describe('an annotation', () => {
  let server: TestServer
  let text: string
  let image: string

  const annotate = (id: string, annotation: Record<string, unknown>) => server.graphql(ANNOTATE, { id, annotation })

  beforeAll(async () => {
    server = await startTestServer()
    text = (await server.data<Explained>(EXPLAIN, { input: textInput('😀 good film') })).explain.id
    const base64 = (await encoded('jpeg')).toString('base64')
    const input = { model: 'pets-cnn', method: 'grad-cam', image: { base64 } }
    image = (await server.data<Explained>(EXPLAIN, { input })).explain.id
  })
  afterAll(() => server.remove())

  it('marks words by code points, or a box by fractions, or nothing, and stays with the run', async () => {
    const marked = await annotate(text, { note: 'praise', span: { start: 2, end: 6 } })
    expect(marked.data).toMatchObject({
      annotate: { note: 'praise', span: { start: 2, end: 6, text: 'good' }, box: null },
    })
    const box = { x: 0.25, y: 0.5, width: 0.75, height: 0.5 }
    expect((await annotate(image, { note: 'the ear', box })).data).toMatchObject({ annotate: { box, span: null } })
    expect((await annotate(text, { note: 'as a whole' })).errors).toBeUndefined()
    const { run } = await server.data<{ run: { annotations: { id: string; note: string }[] } }>(
      'query ($id: ID!) { run(id: $id) { annotations { id note } } }',
      { id: text },
    )
    expect(run.annotations.map(({ note }) => note)).toEqual(['praise', 'as a whole'])
    const remove = () =>
      server.data<{ deleteAnnotation: boolean }>('mutation ($id: ID!) { deleteAnnotation(id: $id) }', {
        id: run.annotations[0]?.id,
      })
    expect((await remove()).deleteAnnotation).toBe(true)
    expect((await remove()).deleteAnnotation).toBe(false)
  })

  it.each([
    ['a box on a text', () => text, { note: 'x', box: { x: 0, y: 0, width: 1, height: 1 } }],
    ['a span on a picture', () => image, { note: 'x', span: { start: 0, end: 1 } }],
    ['a box beyond the edge', () => image, { note: 'x', box: { x: 0.5, y: 0, width: 0.6, height: 1 } }],
    ['a box without extent', () => image, { note: 'x', box: { x: 0.5, y: 0, width: 0, height: 1 } }],
    ['a span beyond the end', () => text, { note: 'x', span: { start: 0, end: 12 } }],
    ['a span that ends before it starts', () => text, { note: 'x', span: { start: 3, end: 3 } }],
    ['nothing at all', () => text, { note: ' ' }],
    ['a novel', () => text, { note: 'x'.repeat(10_001) }],
  ])('of %s is refused, and nothing is stored', async (_name, run, annotation) => {
    const before = await server.rows()
    const { errors } = await annotate(run(), annotation)
    expect(errors?.[0]?.extensions.code).toBe('BAD_INPUT')
    expect(await server.rows()).toEqual(before)
  })

  it('of no run is refused', async () => {
    expect((await annotate('nothing', { note: 'x' })).errors?.[0]?.extensions.code).toBe('NOT_FOUND')
  })
})
