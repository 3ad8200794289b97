/**
 * Gradients that TensorFlow.js has for no backend. Comparisons are flat: their gradient is zero, which lets what was
 * compared have the gradient it has on other ways (ThresholdedReLU, Masking).
 */
import * as tf from '@tensorflow/tfjs'

const FLAT: readonly { readonly name: string; readonly inputs: readonly string[] }[] = [
  ...['Greater', 'Less', 'LessEqual', 'Equal', 'NotEqual', 'LogicalAnd', 'LogicalOr'].map((name) => ({
    name,
    inputs: ['a', 'b'],
  })),
  ...['Any', 'All', 'LogicalNot'].map((name) => ({ name, inputs: ['x'] })),
]

/** Registers what is missing; gradients that TensorFlow.js adds later stay its own. Idempotent. */
export function registerGradients(): void {
  for (const { name, inputs } of FLAT) {
    if (tf.getGradient(name) !== undefined) continue
    tf.registerGradient({
      kernelName: name,
      inputsToSave: [...inputs],
      gradFunc: (_, saved) =>
        Object.fromEntries(inputs.map((input, index) => [input, () => tf.zeros(saved[index]?.shape ?? [])])),
    })
  }
}
