/** Keras text classifiers: token indices in, masks on the way, gradients from the embedding on. */
import * as tf from '@tensorflow/tfjs'
import { describe, expect, it } from 'vitest'
import { int64, type Tensor } from '../../../../lib/tensor/tensor.ts'
import { directionalError } from './check-gradient.ts'
import { explainable, largestDifference, randomTensor } from './keras-models.ts'

function classifier(maskZero: boolean, recurrent: boolean): () => tf.LayersModel {
  return () =>
    tf.sequential({
      layers: [
        tf.layers.embedding({ inputDim: 12, outputDim: 4, inputLength: 6, maskZero, name: 'words' }),
        recurrent
          ? tf.layers.lstm({ units: 5, name: 'body' })
          : tf.layers.conv1d({ filters: 5, kernelSize: 2, activation: 'tanh', name: 'body' }),
        ...(recurrent ? [] : [tf.layers.globalMaxPooling1d({ name: 'pool' })]),
        tf.layers.dense({ units: 2, activation: 'softmax', name: 'classes' }),
      ],
    })
}

describe.each([
  ['masked and recurrent', classifier(true, true)],
  ['recurrent', classifier(false, true)],
  ['convolutional', classifier(false, false)],
])('a %s text classifier', (_, build) => {
  const ids: Tensor = int64([3, 7, 1, 11, 0, 0, 5, 5, 2, 0, 0, 0], [2, 6])

  it('puts out what Keras predicts, and differentiates at the embedding', async () => {
    const { model, keras } = await explainable(build)
    const [input = ''] = model.inputs
    expect(model.defaultTap).toBe('words')
    expect(model.taps.find(({ id }) => id === 'words')).toMatchObject({ kind: 'embedding', shape: [null, 6, 4] })
    const { values } = await model.ask({ feeds: { [input]: ids }, read: ['classes', 'words'] })
    const expected = tf.tidy(() => tf.keep(keras.predict(tf.tensor(Array.from(ids.data, Number), [2, 6])) as tf.Tensor))
    expect(largestDifference(values['classes']?.data ?? [], expected.dataSync())).toBeLessThan(1e-6)
    expect(values['words']?.dims).toEqual([2, 6, 4])
    expect(await directionalError(model, { [input]: ids }, 'words')).toBeLessThan(0.01)
  })

  it('has no gradient at the indices, and says why', async () => {
    const { model } = await explainable(build)
    const [input = ''] = model.inputs
    expect(model.taps[0]).toMatchObject({ id: input, differentiable: false, reason: 'No gradient passes Embedding.' })
    const gradient = { of: { [model.logits]: randomTensor([2, 2], 1) }, wrt: [input] }
    await expect(model.ask({ feeds: { [input]: ids }, read: [], gradient })).rejects.toMatchObject({
      code: 'NOT_DIFFERENTIABLE',
      userMessage: expect.stringContaining('Embedding') as string,
    })
  })

  it('leaves no tensor behind', async () => {
    const { model } = await explainable(build)
    const [input = ''] = model.inputs
    const gradient = { of: { [model.logits]: randomTensor([2, 2], 1) }, wrt: ['words'] }
    await model.ask({ feeds: { [input]: ids }, read: ['words'], gradient })
    const { numTensors } = tf.memory()
    for (let count = 0; count < 5; count++) await model.ask({ feeds: { [input]: ids }, read: ['words'], gradient })
    expect(tf.memory().numTensors).toBe(numTensors)
  })
})
