/** <embedding, gradient> of one token, each [E]: signed, and additive over tokens. */
export function product(gradient: Float32Array, embedding: Float32Array): number {
  let sum = 0
  for (let index = 0; index < gradient.length; index += 1)
    sum += (embedding[index] ?? Number.NaN) * (gradient[index] ?? Number.NaN)
  return sum
}
