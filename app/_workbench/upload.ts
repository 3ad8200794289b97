import { send, type Sending } from '../_ui/send.ts'

/** Sends a picture; answers the asset's id. @param onProgress share sent, 0..1 */
export function uploadImage(body: Blob, onProgress: (fraction: number) => void): Sending {
  // whether it is a picture, and of which kind, is for the server to find out from the bytes
  const headers = { 'Content-Type': 'application/octet-stream' }
  const refused = 'The server did not accept this picture. Try another one.'
  return send({ to: '/api/images', body, headers, answer: 'assetId', refused }, onProgress)
}
