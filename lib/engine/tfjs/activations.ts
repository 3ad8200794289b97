/** Activations with a backward rule that a rule set can bend. */
import * as tf from '@tensorflow/tfjs'
import type { RectifierRule } from './rule-sets.ts'

/**
 * min(max(x, 0), cap) with the rule set's backward pass. The subgradient at 0 and at the cap is 0.
 * - plain: dy where 0 < x < cap.
 * - guided-relu: dy where 0 < x < cap and dy > 0 (Springenberg 2015, section 3.4).
 * - deconvnet: dy where dy > 0 (Zeiler & Fergus 2014, section 2.1).
 */
export function relu(x: tf.Tensor, cap: number, rules: RectifierRule): tf.Tensor {
  return tf.customGrad((input) => {
    const value = tf.tidy(() => {
      if (cap === 6) return tf.relu6(input as tf.Tensor)
      const rectified = tf.relu(input as tf.Tensor)
      return cap === Infinity ? rectified : tf.minimum(rectified, cap)
    })
    return {
      value,
      gradFunc: (dy: tf.Tensor) =>
        tf.tidy(() => {
          const bent = rules === 'plain' ? dy : tf.relu(dy)
          if (rules === 'deconvnet') return bent
          const at = input as tf.Tensor
          const open = cap === Infinity ? tf.greater(at, 0) : tf.logicalAnd(tf.greater(at, 0), tf.less(at, cap))
          return tf.where(open, bent, tf.zerosLike(dy))
        }),
    }
  })(x)
}
