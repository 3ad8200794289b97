/**
 * A method from the outside, through everything: one file (test/helpers/toy-methods.ts) and one line in a list. The API offers
 * it with its form, judges where it can be asked, runs it in a worker, stores it and shows it again, though a method for
 * texts has the same id.
 */
import { readFile } from 'node:fs/promises'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { afterAll, beforeAll, expect, test } from 'vitest'
import { startTestServer, type TestServer } from '../helpers/server.ts'
import { WITH_TOY } from '../helpers/toy-methods.ts'

let server: TestServer
let base64: string
beforeAll(async () => {
  const workerEntry = fileURLToPath(new URL('../helpers/toy-method-worker.ts', import.meta.url))
  server = await startTestServer({ methods: WITH_TOY, workerEntry })
  base64 = (await readFile(join(import.meta.dirname, '../../public/samples/kitten.jpg'))).toString('base64')
})
afterAll(() => server.remove())

const ID = 'gradient-norm'
const RUN = `id status error { code message } method { id title version modality }
  attribution { __typename ... on ImageAttribution { layer width height } }`
interface Answered {
  readonly id: string
  readonly status: string
  readonly error: unknown
  readonly method: { readonly title: string; readonly version: number; readonly modality: string }
  readonly attribution: { readonly __typename: string; readonly layer?: string }
}
const explain = async (input: object): Promise<Answered> =>
  (
    await server.data<{ explain: Answered }>(
      `mutation ($input: ExplainInput!) { explain(input: $input, waitMs: 120000) { ${RUN} } }`,
      { input },
    )
  ).explain

test('it is offered with its form, beside the one of the same id for texts', async () => {
  const { methods } = await server.data<{
    methods: { id: string; modality: string; title: string; paramsSchema: { properties: object } }[]
  }>('{ methods { id modality title paramsSchema } }')
  const named = methods.filter(({ id }) => id === ID)
  expect(named.map(({ modality, title }) => [modality, title])).toEqual([
    ['TEXT', 'Gradient norm'],
    ['IMAGE', 'Mean gradient'],
  ])
  expect(named[1]?.paramsSchema.properties).toMatchObject({ sharpness: { title: 'Sharpness', default: 2 } })
  const { model } = await server.data<{
    model: { methods: { available: boolean; layers: string[]; defaultLayer: string; method: { title: string } }[] }
  }>('{ model(id: "pets-cnn") { methods { available layers defaultLayer method { title } } } }')
  const entry = model.methods.find(({ method }) => method.title === 'Mean gradient')
  expect(entry).toMatchObject({ available: true, defaultLayer: 'conv_pw_12_relu' })
  expect(entry?.layers.length).toBeGreaterThan(10)
  // The form offers what the run takes: plain CAM one layer alone.
  expect(model.methods.find(({ method }) => method.title === 'CAM')).toMatchObject({
    layers: ['conv_pw_12_relu'],
    defaultLayer: 'conv_pw_12_relu',
  })
})

test('each model gets its own, and so does what was stored', async () => {
  const picture = await explain({ model: 'pets-cnn', method: ID, image: { base64 }, params: { sharpness: 1 } })
  expect(picture).toMatchObject({
    status: 'DONE',
    error: null,
    method: { title: 'Mean gradient', version: 7, modality: 'IMAGE' },
    attribution: { __typename: 'ImageAttribution', width: 14, height: 14 },
  })
  const review = await explain({ model: 'reviews-minilm', method: ID, text: 'A wonderful film.' })
  expect(review).toMatchObject({
    status: 'DONE',
    method: { title: 'Gradient norm', modality: 'TEXT' },
    attribution: { __typename: 'TextAttribution' },
  })
  for (const run of [picture, review]) {
    const { run: again } = await server.data<{ run: Answered }>(`query ($id: ID!) { run(id: $id) { ${RUN} } }`, {
      id: run.id,
    })
    expect(again).toEqual(run)
  }
})

test('its own schema refuses what it does not take', async () => {
  const { errors } = await server.graphql(`mutation ($input: ExplainInput!) { explain(input: $input) { id } }`, {
    input: { model: 'pets-cnn', method: ID, image: { base64 }, params: { steps: 20 } },
  })
  expect(errors?.[0]).toMatchObject({
    message: expect.stringMatching(/Mean gradient: there is no parameter "steps".*sharpness/) as string,
    extensions: { code: 'BAD_PARAMETER' },
  })
})
