/** What the docs tell a reader to send is sent, to the letter. */
import { readdir, readFile } from 'node:fs/promises'
import { join, resolve } from 'node:path'
import { afterAll, beforeAll, expect, it } from 'vitest'
import { startTestServer, type GraphQLAnswer, type TestServer } from '../helpers/server.ts'

let server: TestServer
beforeAll(async () => {
  server = await startTestServer()
})
afterAll(() => server.remove())

/** The bodies of the curl calls in a file, as a shell hands them on. */
async function bodiesIn(file: string): Promise<string[]> {
  const text = await readFile(file, 'utf8')
  const commands = [...text.matchAll(/^```sh\n(.*?)^```/gms)].map(([, commands = '']) => commands)
  return commands.flatMap((one) => [...one.matchAll(/^curl .*? -d '([^']*)'$/gms)].map(([, body = '']) => body))
}

const docs = resolve('docs')
const files = [
  'README.md',
  ...(await readdir(docs)).filter((name) => name.endsWith('.md')).map((name) => join(docs, name)),
]
const calls = (await Promise.all(files.map(bodiesIn))).flatMap((bodies, at) =>
  bodies.map((body) => ({ file: files[at], body })),
)

it('README and the API guide have calls', () => {
  expect(new Set(calls.map(({ file }) => file))).toEqual(new Set(['README.md', join(docs, 'graphql.md')]))
})

it.each(calls)('$file: the call is answered', async ({ body }) => {
  const headers = { 'content-type': 'application/json' }
  const response = await fetch(`${server.url}/graphql`, { method: 'POST', headers, body })
  const { errors, data } = (await response.json()) as GraphQLAnswer & {
    data: { explain: { attribution: { words: { text: string; score: number }[]; completeness: { error: number } } } }
  }
  expect(errors).toBeUndefined()
  const { words, completeness } = data.explain.attribution
  expect(words.find(({ text }) => text === 'wonderful')?.score).toBeGreaterThan(1)
  expect(completeness.error).toBeLessThan(0.01)
})
