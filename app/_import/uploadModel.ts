import { send, type Sending } from '../_ui/send.ts'

/** Sends the files of a model; answers the import's id. @param onProgress share sent, 0..1 */
export function uploadModel(files: readonly File[], onProgress: (fraction: number) => void): Sending {
  const body = new FormData()
  // of a folder, where in it the file lies
  for (const file of files)
    body.append('file', file, file.webkitRelativePath === '' ? file.name : file.webkitRelativePath)
  const refused = 'The server did not take these files.'
  return send({ to: '/api/imports', body, answer: 'importId', refused }, onProgress)
}
