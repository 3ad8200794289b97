/**
 * Gradients that TensorFlow.js lacks or gets wrong on every backend. Comparisons are flat: their gradient is zero, which
 * lets what was compared have the gradient it has on other ways (ThresholdedReLU, Masking). The gradient of a maximum is
 * shared evenly among equal largest values, as TensorFlow and PyTorch do; TensorFlow.js 4.22 gives each of them the whole,
 * which multiplies it wherever values repeat (padding under a global max-pooling).
 */
import * as tf from '@tensorflow/tfjs'

const FLAT: readonly { readonly name: string; readonly inputs: readonly string[] }[] = [
  ...['Greater', 'Less', 'LessEqual', 'Equal', 'NotEqual', 'LogicalAnd', 'LogicalOr'].map((name) => ({
    name,
    inputs: ['a', 'b'],
  })),
  ...['Any', 'All', 'LogicalNot'].map((name) => ({ name, inputs: ['x'] })),
]

/** d/dx of the extremes y of x along axes. */
function sharedAmongEqual(dy: tf.Tensor, x: tf.Tensor, y: tf.Tensor, axes: readonly number[]): tf.Tensor {
  const kept = x.shape.map((dim, axis) => (axes.includes(axis) ? 1 : dim))
  const winners = tf.cast(tf.equal(x, tf.reshape(y, kept)), 'float32')
  const count = tf.sum(winners, [...axes], true)
  return tf.mul(winners, tf.div(tf.reshape(dy, kept), count))
}

/** Undefined where there is none, whatever its own type says. */
const registered: (kernel: string) => tf.GradConfig | undefined = tf.getGradient

/** Registers what is missing and replaces what is wrong; gradients that TensorFlow.js adds later stay its own. Idempotent. */
export function registerGradients(): void {
  for (const { name, inputs } of FLAT) {
    if (registered(name) !== undefined) continue
    tf.registerGradient({
      kernelName: name,
      inputsToSave: [...inputs],
      gradFunc: (_, saved) =>
        Object.fromEntries(inputs.map((input, index) => [input, () => tf.zeros(saved[index]?.shape ?? [])])),
    })
  }
  // The transposed convolution's own gradient is the convolution it was transposed from.
  tf.registerGradient({
    kernelName: 'Conv3DBackpropInputV2',
    inputsToSave: ['filter'],
    gradFunc: (dy, [filter], attrs) => {
      if (filter === undefined || Array.isArray(dy)) throw new Error('Conv3DBackpropInputV2: nothing was saved')
      const { strides, pad } = attrs as unknown as { strides: [number, number, number]; pad: 'same' | 'valid' }
      return { dy: () => tf.conv3d(dy as tf.Tensor5D, filter as tf.Tensor5D, strides, pad) }
    },
  })
  for (const name of ['Max', 'Min'])
    tf.registerGradient({
      kernelName: name,
      inputsToSave: ['x'],
      outputsToSave: [true],
      gradFunc: (dy, saved, attrs) => {
        const [x, y] = saved
        if (x === undefined || y === undefined || Array.isArray(dy)) throw new Error(`${name}: nothing was saved`)
        const { reductionIndices } = attrs as unknown as tf.MaxAttrs
        const axes = tf.util.parseAxisParam(reductionIndices, x.shape)
        return { x: () => sharedAmongEqual(dy, x, y, axes) }
      },
    })
}
