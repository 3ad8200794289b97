/** Pictures over plain HTTP: uploads, the copies for display, the maps. */
import express, { type Response, type Router } from 'express'
import { AppError } from '../../lib/errors.ts'
import type { Run } from '../../prisma/generated/client.ts'
import { DISPLAY_TYPE } from '../imaging.ts'
import type { Parts } from '../parts.ts'
import { findSharedRun } from '../services/find-shared-run.ts'
import { getRun } from '../services/get-run.ts'
import { readAttribution, readDisplay } from '../services/read-pictures.ts'
import { checkImage, MAX_IMAGE_BYTES } from '../services/store-image.ts'
import { readUpload } from './read-upload.ts'
import { mapIn, overlayOptions } from './overlay-options.ts'

/** A picture never changes under its name; a map may after the run was deleted and asked again with a newer method. */
const FOR_EVER = 'private, max-age=31536000, immutable'
const ASK_AGAIN = 'private, no-cache'
/** What is seen through a link has to end with the link. */
const NEVER = 'no-store'

function sendBytes(response: Response, type: string, cache: string, bytes: Uint8Array): void {
  response
    .set('Cache-Control', cache)
    .type(type)
    .send(Buffer.from(bytes.buffer, bytes.byteOffset, bytes.byteLength))
}

function assetOf(run: Run): string {
  if (run.assetId !== null) return run.assetId
  throw new AppError({ code: 'NOT_FOUND', message: 'This run explains a text; it has no picture.' })
}

async function sharedRun(parts: Parts, token: string): Promise<Run> {
  const run = await findSharedRun(parts, token)
  if (run !== null) return run
  throw new AppError({ code: 'NOT_FOUND', message: 'This link is unknown, has expired or was revoked.' })
}

async function sendOverlay(
  parts: Parts,
  run: Run,
  query: Record<string, unknown>,
  response: Response,
  cache: string,
): Promise<void> {
  const options = overlayOptions(query)
  const { renderOverlay } = await import('../services/render-overlay.ts')
  sendBytes(response, 'image/png', cache, await renderOverlay(parts, run, options))
}

async function sendNpy(
  parts: Parts,
  run: Run,
  query: Record<string, unknown>,
  response: Response,
  cache: string,
): Promise<void> {
  const map = mapIn(query['map'])
  const { npyBytes } = await import('../../lib/render/npy.ts')
  const { detail, values } = await readAttribution(parts, run, map)
  const dims = detail.kind === 'image' ? [detail.height, detail.width] : [values.length]
  response.attachment(`${run.id}${map === 0 ? '' : `-${map}`}.npy`)
  sendBytes(response, 'application/octet-stream', cache, npyBytes({ type: 'float32', dims, data: values }))
}

export function imageRoutes(parts: Parts): Router {
  const router = express.Router()

  router.post('/images', async (request, response) => {
    const image = await checkImage(parts, await readUpload(request, MAX_IMAGE_BYTES))
    const { id, width, height } = await image.store()
    response.status(201).json({ assetId: id, width, height })
  })
  router.get('/images/:id', async (request, response) => {
    sendBytes(response, DISPLAY_TYPE, FOR_EVER, await readDisplay(parts, request.params.id))
  })

  router.get('/runs/:id/overlay.png', async (request, response) => {
    await sendOverlay(parts, await getRun(parts, request.params.id), request.query, response, ASK_AGAIN)
  })
  router.get('/runs/:id/attribution.npy', async (request, response) => {
    await sendNpy(parts, await getRun(parts, request.params.id), request.query, response, ASK_AGAIN)
  })

  router.get('/shared/:token/image', async (request, response) => {
    const run = await sharedRun(parts, request.params.token)
    sendBytes(response, DISPLAY_TYPE, NEVER, await readDisplay(parts, assetOf(run)))
  })
  router.get('/shared/:token/overlay.png', async (request, response) => {
    await sendOverlay(parts, await sharedRun(parts, request.params.token), request.query, response, NEVER)
  })
  router.get('/shared/:token/attribution.npy', async (request, response) => {
    await sendNpy(parts, await sharedRun(parts, request.params.token), request.query, response, NEVER)
  })
  return router
}
