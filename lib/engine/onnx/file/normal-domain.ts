/** '' and 'ai.onnx' are one. */
export function normalDomain(domain: string): string {
  return domain === 'ai.onnx' ? '' : domain
}
