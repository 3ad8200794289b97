/** Models that are sent from the browser: a form with the files of one, under their paths in its folder. */
import { randomUUID } from 'node:crypto'
import { mkdir, rm } from 'node:fs/promises'
import { basename, join } from 'node:path'
import express, { type Router } from 'express'
import { AppError } from '../../lib/errors.ts'
import type { Parts } from '../parts.ts'
import { readFiles } from './read-files.ts'

/** What all files lie in is the model's folder: its name is the title, and no part of their paths. */
function withoutCommonFolder(paths: ReadonlyMap<string, string>): {
  readonly title: string
  readonly paths: ReadonlyMap<string, string>
} {
  const [first = ''] = paths.keys()
  const [top = '', ...rest] = first.split('/')
  const isCommon = rest.length > 0 && [...paths.keys()].every((path) => path.startsWith(`${top}/`))
  if (isCommon) return { title: top, paths: new Map([...paths].map(([path, at]) => [path.slice(top.length + 1), at])) }
  const graph = [...paths.keys()].find((path) => path.endsWith('.onnx'))
  return { title: graph === undefined ? 'uploaded model' : basename(graph, '.onnx'), paths }
}

export function importRoutes({ imports }: Pick<Parts, 'imports'>): Router {
  const router = express.Router()
  router.post('/imports', async (request, response) => {
    if (!/^multipart\/form-data\s*;/i.test(request.headers['content-type'] ?? '')) {
      request.resume()
      throw new AppError({ code: 'BAD_INPUT', message: 'Send the files of a model as multipart/form-data.' })
    }
    const folder = join(imports.uploads.folder, randomUUID())
    const dispose = (): Promise<void> => rm(folder, { recursive: true, force: true })
    await mkdir(folder, { recursive: true })
    try {
      const { title, paths } = withoutCommonFolder(await readFiles(request, folder, imports.uploads.maxBytes))
      const named =
        typeof request.query['name'] === 'string' && request.query['name'] !== '' ? request.query['name'] : title
      const { id } = imports.start({ kind: 'files', title: named, paths, dispose })
      response.status(202).json({ importId: id })
    } catch (error) {
      await dispose()
      throw error
    }
  })
  return router
}
