/** Pages of other sites cannot talk to this server, neither straight nor by DNS rebinding. */
import { request } from 'node:http'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import WebSocket from 'ws'
import { startTestServer, type TestServer } from '../helpers/server.ts'

describe('the server', () => {
  let server: TestServer
  let port: string
  beforeAll(async () => {
    server = await startTestServer({ allowHosts: ['limelight.lab'] })
    port = new URL(server.url).port
  })
  afterAll(() => server.remove())

  function ask(headers: Record<string, string>, path = '/healthz', method = 'GET'): Promise<number> {
    return new Promise((resolve, reject) => {
      const asked = request(`${server.url}${path}`, { method, headers }, (response) => {
        response.resume()
        resolve(response.statusCode ?? 0)
      })
      asked.on('error', reject)
      asked.end()
    })
  }
  function connect(headers: Record<string, string>): Promise<string> {
    return new Promise((resolve) => {
      const socket = new WebSocket(`${server.url.replace('http', 'ws')}/graphql`, 'graphql-transport-ws', { headers })
      socket.on('open', () => {
        socket.close()
        resolve('open')
      })
      socket.on('error', (error) => resolve(error.message))
    })
  }

  it.each(['localhost', '127.0.0.1', '[::1]', '127.9.9.9', 'app.localhost', 'LIMELIGHT.lab'])(
    'answers to %s',
    async (name) => {
      expect(await ask({ host: `${name}:${port}` })).toBe(200)
    },
  )

  it.each(['evil.example', 'localhost.evil.example', '127.0.0.1.evil.example', '192.168.1.7', 'a@localhost', ''])(
    'does not answer to %s',
    async (name) => {
      expect(await ask({ host: `${name}:${port}` })).toBe(403)
      expect(await connect({ host: `${name}:${port}` })).toContain('403')
    },
  )

  it('lets only its own pages talk to it', async () => {
    const host = `127.0.0.1:${port}`
    expect(await ask({ host, origin: `http://${host}` }, '/graphql', 'POST')).not.toBe(403)
    expect(await connect({ host, origin: `http://${host}` })).toBe('open')
    for (const origin of ['http://evil.example', 'null', `http://127.0.0.1:1`, `http://localhost:${port}`, 'file://']) {
      expect(await ask({ host, origin }, '/graphql', 'POST')).toBe(403)
      expect(await ask({ host, origin }, '/api/images', 'POST')).toBe(403)
      expect(await connect({ host, origin })).toContain('403')
    }
  })

  it('answers no simple form of another site', async () => {
    const response = await fetch(`${server.url}/graphql`, {
      method: 'POST',
      headers: { 'content-type': 'text/plain' },
      body: JSON.stringify({ query: '{ models { id } }' }),
    })
    expect(response.status).toBe(400)
    const get = await fetch(`${server.url}/graphql?query=%7Bmodels%7Bid%7D%7D`)
    expect(get.status).toBe(400)
  })

  it('sends its security headers with everything', async () => {
    for (const path of ['/healthz', '/graphql', '/api/nothing']) {
      const { headers } = await fetch(`${server.url}${path}`)
      expect(headers.get('content-security-policy')).toContain("frame-ancestors 'none'")
      expect(headers.get('x-content-type-options')).toBe('nosniff')
      expect(headers.get('referrer-policy')).toBe('no-referrer')
      expect(headers.get('access-control-allow-origin')).toBeNull()
      expect(headers.get('x-powered-by')).toBeNull()
    }
  })

  it('has a GraphiQL that names no other host', async () => {
    const response = await fetch(`${server.url}/graphql`, { headers: { accept: 'text/html' } })
    const page = await response.text()
    expect(response.headers.get('content-type')).toContain('text/html')
    expect(page).toContain('YogaGraphiQL')
    expect(page).not.toMatch(/<(script|link|img)[^>]+(src|href)="(https?:)?\/\//)
  })

  it('says how it is', async () => {
    const response = await fetch(`${server.url}/healthz`)
    expect(await response.json()).toMatchObject({
      status: 'ok',
      version: expect.stringMatching(/^\d/) as string,
      database: 'ok',
      workers: { size: 1 },
    })
  })
})
