import * as tf from '@tensorflow/tfjs'
import { beforeAll, describe, expect, it } from 'vitest'
import type { ExplainableModel, RuleSet } from '../../../../lib/engine/model.ts'
import { float32, zeros, type FloatTensor } from '../../../../lib/tensor/tensor.ts'
import { explainable, largestDifference, randomTensor, seeded, smallCnn } from './keras-models.ts'
import { directionalError } from './check-gradient.ts'

/** [N, C, H, W] -> what Keras predicts, from [N, H, W, C]. */
function predicted(keras: tf.LayersModel, feed: FloatTensor): Float32Array {
  return tf
    .tidy(() => {
      const [n = 1, c = 1, h = 1, w = 1] = feed.dims
      const x = tf.transpose(tf.tensor(feed.data, [n, c, h, w]), [0, 2, 3, 1])
      return tf.keep(keras.predict(x) as tf.Tensor)
    })
    .dataSync() as Float32Array
}

function softmax(logits: FloatTensor): Float32Array {
  const [rows = 0, classes = 0] = logits.dims
  const out = new Float32Array(logits.data.length)
  for (let row = 0; row < rows; row++) {
    const of = logits.data.subarray(row * classes, (row + 1) * classes)
    const exponentials = of.map((value) => Math.exp(value - Math.max(...of)))
    const sum = exponentials.reduce((total, value) => total + value, 0)
    out.set(
      exponentials.map((value) => value / sum),
      row * classes,
    )
  }
  return out
}

function at(values: Readonly<Record<string, FloatTensor>>, id: string): FloatTensor {
  const found = values[id]
  if (found === undefined) throw new Error(`no ${id} in the answer`)
  return found
}

describe('a sequential CNN', () => {
  let model: ExplainableModel
  let keras: tf.LayersModel
  const name = 'conv_input'
  const feed = randomTensor([2, 3, 8, 8], 7)

  beforeAll(async () => {
    ;({ model, keras } = await explainable(smallCnn))
  })

  it('names every layer, with the shape and kind that the contract asks for', () => {
    expect(model.inputs).toEqual([name])
    expect(model.taps.map(({ id, kind, shape }) => [id, kind, shape])).toEqual([
      [name, 'input', [null, 3, 8, 8]],
      ['conv', 'conv', [null, 4, 8, 8]],
      ['bn', 'norm', [null, 4, 8, 8]],
      ['relu6', 'activation', [null, 4, 8, 8]],
      ['depthwise', 'conv', [null, 4, 4, 4]],
      ['pointwise', 'conv', [null, 6, 4, 4]],
      ['pool', 'pool', [null, 6]],
      ['dropout', 'other', [null, 6]],
      ['classes/logits', 'output', [null, 4]],
      ['classes', 'output', [null, 4]],
    ])
    expect(model.logits).toBe('classes/logits')
    expect(model.defaultTap).toBe('pointwise')
    expect(model.taps.filter(({ spatial }) => spatial).map(({ id }) => id)).toEqual([
      name,
      'conv',
      'bn',
      'relu6',
      'depthwise',
      'pointwise',
    ])
  })

  it('puts out what Keras predicts, and the logits before its softmax', async () => {
    const { values } = await model.ask({ feeds: { [name]: feed }, read: ['classes', model.logits] })
    const probabilities = predicted(keras, feed)
    expect(largestDifference(at(values, 'classes').data, probabilities)).toBeLessThan(1e-6)
    expect(largestDifference(softmax(at(values, model.logits)), probabilities)).toBeLessThan(1e-6)
    expect(Math.max(...at(values, model.logits).data)).not.toBeCloseTo(Math.max(...probabilities), 2)
  })

  it('reads a tap as [N, C, H, W]', async () => {
    const { values } = await model.ask({ feeds: { [name]: feed }, read: ['conv', name] })
    expect(at(values, 'conv').dims).toEqual([2, 4, 8, 8])
    expect([...at(values, name).data]).toEqual([...feed.data])
    const part = tf.model({ inputs: keras.inputs, outputs: keras.getLayer('conv').output })
    const reference = tf.tidy(() => {
      const x = tf.transpose(tf.tensor(feed.data, [2, 3, 8, 8]), [0, 2, 3, 1])
      return tf.keep(tf.transpose(part.predict(x) as tf.Tensor, [0, 3, 1, 2]))
    })
    expect(largestDifference(at(values, 'conv').data, reference.dataSync())).toBeLessThan(1e-6)
  })

  it.each(['conv_input', 'conv', 'bn', 'relu6', 'depthwise', 'pointwise', 'pool', 'classes/logits'])(
    'differentiates at %s as finite differences do',
    async (tap) => {
      expect(await directionalError(model, { [name]: feed }, tap)).toBeLessThan(0.01)
    },
  )

  it('gives the gradients at several taps at once as one by one', async () => {
    const of = { [model.logits]: randomTensor([2, 4], 3) }
    const wrt = [name, 'conv', 'pointwise', 'depthwise']
    const together = await model.ask({ feeds: { [name]: feed }, read: ['conv', 'classes'], gradient: { of, wrt } })
    for (const tap of wrt) {
      const alone = await model.ask({ feeds: { [name]: feed }, read: [], gradient: { of, wrt: [tap] } })
      expect([...at(together.gradients, tap).data]).toEqual([...at(alone.gradients, tap).data])
      expect(at(alone.gradients, tap).data.some((value) => value !== 0)).toBe(true)
    }
    const plain = await model.ask({ feeds: { [name]: feed }, read: ['conv', 'classes'] })
    expect(together.values).toEqual(plain.values)
  })

  it('keeps rows apart: a row of zero weights has a gradient of zero', async () => {
    const of = { [model.logits]: float32([0, 0, 0, 0, 1, 0, 0, 0], [2, 4]) }
    const { gradients } = await model.ask({ feeds: { [name]: feed }, read: [], gradient: { of, wrt: [name] } })
    const { data } = at(gradients, name)
    expect(data.subarray(0, 192).every((value) => value === 0)).toBe(true)
    expect(data.subarray(192).some((value) => value !== 0)).toBe(true)
  })

  it('runs on from replaced taps as the full run does, without its input', async () => {
    const of = { [model.logits]: randomTensor([2, 4], 3) }
    const full = await model.ask({
      feeds: { [name]: feed },
      read: ['depthwise', 'pointwise', model.logits, 'classes'],
      gradient: { of, wrt: ['depthwise'] },
    })
    const { pointwise, ...rest } = full.values
    const from = { depthwise: at(full.values, 'depthwise') }
    const resumed = await model.ask({
      from,
      read: ['depthwise', 'pointwise', model.logits, 'classes'],
      gradient: { of, wrt: ['depthwise'] },
    })
    expect(resumed.values).toEqual({ pointwise, ...rest })
    expect(resumed.gradients).toEqual(full.gradients)
  })

  it('runs on from changed values', async () => {
    const zeroed = float32(new Float32Array(2 * 6 * 16), [2, 6, 4, 4])
    const { values } = await model.ask({ from: { pointwise: zeroed }, read: [model.logits] })
    const bias = keras.getLayer('classes').getWeights()[1]?.dataSync() ?? []
    expect(largestDifference(at(values, model.logits).data, [...bias, ...bias])).toBeLessThan(1e-7)
  })

  it('answers the same question with the same bytes', async () => {
    const ask = (): ReturnType<ExplainableModel['ask']> =>
      model.ask({
        feeds: { [name]: feed },
        read: [model.logits, 'conv'],
        gradient: { of: { [model.logits]: randomTensor([2, 4], 3) }, wrt: [name, 'conv'] },
      })
    expect(await ask()).toEqual(await ask())
  })

  it('answers questions that are asked at the same time as if they were asked in turn', async () => {
    const ask = (seed: number): ReturnType<ExplainableModel['ask']> =>
      model.ask({
        feeds: { [name]: randomTensor([2, 3, 8, 8], seed) },
        read: [model.logits],
        gradient: { of: { [model.logits]: randomTensor([2, 4], seed) }, wrt: [name] },
      })
    const seeds = [1, 2, 3, 4]
    const together = await Promise.all(seeds.map(ask))
    for (const [index, seed] of seeds.entries()) expect(together[index]).toEqual(await ask(seed))
  })

  it('stops between two layers when it is cancelled on the way', async () => {
    const stop = new AbortController()
    const asked = model.ask({ feeds: { [name]: feed }, read: [model.logits] }, stop.signal)
    setImmediate(() => {
      stop.abort()
    })
    await expect(asked).rejects.toMatchObject({ code: 'CANCELLED' })
  })

  it('has a linear head at the last map, and none before', async () => {
    const head = await model.linearHead('pointwise')
    const { values } = await model.ask({ feeds: { [name]: feed }, read: ['pointwise', model.logits] })
    const map = at(values, 'pointwise').data
    for (let n = 0; n < 2; n++)
      for (let k = 0; k < 4; k++) {
        let logit = head?.bias.data[k] ?? NaN
        for (let c = 0; c < 6; c++) {
          const plane = map.subarray((n * 6 + c) * 16, (n * 6 + c + 1) * 16)
          logit += (head?.weights.data[k * 6 + c] ?? NaN) * (plane.reduce((sum, value) => sum + value, 0) / 16)
        }
        expect(logit).toBeCloseTo(at(values, model.logits).data[n * 4 + k] ?? NaN, 5)
      }
    expect(await model.linearHead('depthwise')).toBeNull()
    expect(await model.linearHead('pool')).toBeNull()
  })

  it('leaves no tensor behind after a thousand questions, of every kind', async () => {
    const next = seeded(5)
    const one = float32(feed.data.subarray(0, 192), [1, 3, 8, 8])
    const feeds = { [name]: one }
    const map = at((await model.ask({ feeds, read: ['depthwise'] })).values, 'depthwise')
    const of = () => ({ [model.logits]: float32([next(), next(), next(), next()], [1, 4]) })
    const kinds: readonly (() => Promise<unknown>)[] = [
      () => model.ask({ feeds, read: ['conv', 'classes'] }),
      () => model.ask({ feeds, read: ['conv'], gradient: { of: of(), wrt: [name, 'pointwise'] } }),
      () =>
        model.ask({ feeds: { [name]: feed }, read: [], gradient: { of: { conv: zeros([2, 4, 8, 8]) }, wrt: [name] } }),
      () => model.ask({ from: { depthwise: map }, read: ['pointwise', 'classes'] }),
      () => model.ask({ from: { depthwise: map }, read: [], gradient: { of: of(), wrt: ['depthwise', 'pool'] } }),
      () => model.ask({ feeds, read: [], gradient: { of: of(), wrt: [name], rules: { id: 'guided-relu' } } }),
      () => model.ask({ feeds, read: [], gradient: { of: of(), wrt: [name], rules: { id: 'deconvnet' } } }),
      () => model.linearHead('pointwise'),
      () => model.ask({ feeds, read: ['nowhere'] }).catch(() => undefined),
      () => model.ask({ feeds: { [name]: map }, read: ['conv'] }).catch(() => undefined),
    ]
    for (const ask of kinds) await ask()
    const { numTensors, numDataBuffers } = tf.memory()
    for (let count = 0; count < 1000; count++) await kinds[count % kinds.length]?.()
    expect(tf.memory()).toMatchObject({ numTensors, numDataBuffers })
  }, 120_000)

  it('leaves no tensor behind when a question fails or is cancelled', async () => {
    const { numTensors } = tf.memory()
    const stop = new AbortController()
    const cancelled = model.ask({ feeds: { [name]: feed }, read: [model.logits] }, stop.signal)
    stop.abort()
    await expect(cancelled).rejects.toMatchObject({ code: 'CANCELLED' })
    await expect(model.ask({ feeds: { [name]: feed }, read: ['nowhere'] })).rejects.toMatchObject({
      code: 'UNKNOWN_LAYER',
      userMessage: expect.stringContaining('"nowhere"') as string,
    })
    expect(tf.memory().numTensors).toBe(numTensors)
  })

  it.each([
    ['an input that it has not', { feeds: { picture: feed }, read: [] }, /no input called "picture"/],
    ['a missing feed', { read: ['classes'] }, /"conv_input" is needed/],
    ['nothing at all', { read: [] }, /nothing was fed/],
    [
      'a wrong shape',
      { feeds: { conv_input: randomTensor([2, 8, 8, 3], 1) }, read: ['conv'] },
      /\[N, 3, 8, 8\].*\[2, 8, 8, 3\]/,
    ],
    ['no rows', { feeds: { conv_input: float32([], [0, 3, 8, 8]) }, read: ['conv'] }, /\[0, 3, 8, 8\]/],
    [
      'rows that do not match',
      {
        feeds: { conv_input: feed },
        read: [],
        gradient: { of: { 'classes/logits': randomTensor([1, 4], 1) }, wrt: ['conv'] },
      },
      /2 rows.*found 1/,
    ],
  ])('refuses %s', async (_, question, message) => {
    await expect(model.ask(question)).rejects.toMatchObject({
      code: 'BAD_INPUT',
      message: expect.stringMatching(message) as string,
    })
  })

  it('has no gradient of the logits at the probabilities behind them', async () => {
    const of = { [model.logits]: randomTensor([2, 4], 1) }
    await expect(
      model.ask({ feeds: { [name]: feed }, read: [], gradient: { of, wrt: ['classes'] } }),
    ).rejects.toMatchObject({ code: 'NOT_DIFFERENTIABLE' })
  })

  it('answers with zeros where a replaced tap cuts the way', async () => {
    const full = await model.ask({ feeds: { [name]: feed }, read: ['pointwise'] })
    const { gradients } = await model.ask({
      feeds: { [name]: feed },
      from: { pointwise: at(full.values, 'pointwise') },
      read: [],
      gradient: { of: { [model.logits]: randomTensor([2, 4], 1) }, wrt: ['conv', 'pointwise'] },
    })
    expect(at(gradients, 'conv').dims).toEqual([2, 4, 8, 8])
    expect(at(gradients, 'conv').data.every((value) => value === 0)).toBe(true)
    expect(at(gradients, 'pointwise').data.some((value) => value !== 0)).toBe(true)
  })
})

describe('rule sets', () => {
  const build = (): tf.LayersModel =>
    tf.sequential({
      layers: [
        tf.layers.activation({ inputShape: [4], activation: 'relu', name: 'relu' }),
        tf.layers.dense({ units: 2, useBias: false, name: 'logits' }),
      ],
    })

  it('bends the backward pass of a ReLU', async () => {
    const { model } = await explainable(() => {
      const made = build()
      return made
    }, 2)
    const feeds = { relu_input: float32([1, -1, 2, -2], [1, 4]) }
    // Weights of the dense layer, as the gradient where the ReLU is replaced.
    const of = { logits: float32([1, -1], [1, 2]) }
    const arriving = at((await model.ask({ feeds, read: [], gradient: { of, wrt: ['relu'] } })).gradients, 'relu').data
    const bent = async (id: string): Promise<number[]> => [
      ...at(
        (await model.ask({ feeds, read: [], gradient: { of, wrt: ['relu_input'], rules: { id } } })).gradients,
        'relu_input',
      ).data,
    ]
    const open = [true, false, true, false]
    expect(arriving.some((value) => value < 0) && arriving.some((value) => value > 0)).toBe(true)
    expect(await bent('plain')).toEqual([...arriving].map((value, index) => (open[index] ? value : 0)))
    expect(await bent('guided-relu')).toEqual(
      [...arriving].map((value, index) => (open[index] && value > 0 ? value : 0)),
    )
    expect(await bent('deconvnet')).toEqual([...arriving].map((value) => (value > 0 ? value : 0)))
  })

  it('says which rule sets it has, and bends at single taps', async () => {
    const { model } = await explainable(build, 2)
    expect(model.ruleSets.map(({ id, needsReference }) => [id, needsReference])).toEqual(
      ['plain', 'guided-relu', 'deconvnet'].map((id) => [id, false]),
    )
    const feeds = { relu_input: float32([1, -1, 2, -2], [1, 4]) }
    const of = { logits: float32([1, -1], [1, 2]) }
    const ask = async (rules: RuleSet): Promise<Float32Array> => {
      const { gradients } = await model.ask({ feeds, read: [], gradient: { of, wrt: ['relu_input'], rules } })
      return at(gradients, 'relu_input').data
    }
    const byTap = { relu: { id: 'deconvnet' } }
    expect(await ask({ id: 'plain', byTap })).toEqual(await ask({ id: 'deconvnet' }))
    expect(await ask({ id: 'deconvnet', byTap: { relu: { id: 'plain' } } })).toEqual(await ask({ id: 'plain' }))
    expect(await ask({ id: 'plain', byTap: { logits: { id: 'deconvnet' } } })).toEqual(await ask({ id: 'plain' }))
    expect(await ask({ id: 'deconvnet' })).not.toEqual(await ask({ id: 'plain' }))
    await expect(ask({ id: 'lrp' })).rejects.toMatchObject({ code: 'BAD_PARAMETER' })
    await expect(ask({ id: 'plain', byTap: { nowhere: {} } })).rejects.toMatchObject({ code: 'UNKNOWN_LAYER' })
  })
})

describe('graphs', () => {
  it('follows skips, concatenation and shared layers', async () => {
    const { model, keras } = await explainable(() => {
      const input = tf.input({ shape: [6, 6, 2], name: 'picture' })
      const shared = tf.layers.conv2d({ filters: 2, kernelSize: 3, padding: 'same', name: 'shared' })
      const first = shared.apply(input) as tf.SymbolicTensor
      const second = shared.apply(first) as tf.SymbolicTensor
      const sum = tf.layers.add({ name: 'sum' }).apply([first, second]) as tf.SymbolicTensor
      const both = tf.layers.concatenate({ name: 'both' }).apply([sum, input]) as tf.SymbolicTensor
      const pooled = tf.layers.maxPooling2d({ poolSize: 2, name: 'halved' }).apply(both) as tf.SymbolicTensor
      const flat = tf.layers.flatten({ name: 'flat' }).apply(pooled) as tf.SymbolicTensor
      const logits = tf.layers.dense({ units: 3, name: 'dense' }).apply(flat) as tf.SymbolicTensor
      const out = tf.layers.softmax({ name: 'softmax' }).apply(logits) as tf.SymbolicTensor
      return tf.model({ inputs: input, outputs: out })
    })
    expect(model.taps.map(({ id }) => id)).toEqual([
      'picture',
      'shared',
      'shared#2',
      'sum',
      'both',
      'halved',
      'flat',
      'dense',
      'softmax',
    ])
    expect(model.logits).toBe('dense')
    const feed = randomTensor([2, 2, 6, 6], 4)
    const { values } = await model.ask({ feeds: { picture: feed }, read: ['softmax', 'sum', 'shared', 'shared#2'] })
    expect(largestDifference(at(values, 'softmax').data, predicted(keras, feed))).toBeLessThan(1e-6)
    for (const tap of ['picture', 'shared', 'shared#2', 'both'])
      expect(await directionalError(model, { picture: feed }, tap)).toBeLessThan(0.01)
    // A replaced tap in one branch still needs the other branch's input.
    const full = await model.ask({ feeds: { picture: feed }, read: ['dense'] })
    const resumed = await model.ask({ feeds: { picture: feed }, from: { sum: at(values, 'sum') }, read: ['dense'] })
    expect(resumed.values).toEqual(full.values)
    await expect(model.ask({ from: { sum: at(values, 'sum') }, read: ['dense'] })).rejects.toMatchObject({
      code: 'BAD_INPUT',
    })
  })

  it('opens nested models, a Sequential in a Sequential as Teachable Machine writes them', async () => {
    const { model, keras } = await explainable(() => {
      const input = tf.input({ shape: [6, 6, 3], name: 'picture' })
      const map = tf.layers.conv2d({ filters: 4, kernelSize: 3, activation: 'relu', name: 'conv' }).apply(input)
      const trunk = tf.model({ inputs: input, outputs: map as tf.SymbolicTensor, name: 'trunk' })
      const features = tf.sequential({
        name: 'features',
        layers: [trunk, tf.layers.globalAveragePooling2d({ name: 'gap' })],
      })
      const head = tf.sequential({
        name: 'head',
        layers: [
          tf.layers.dense({ inputShape: [4], units: 5, activation: 'relu', name: 'hidden' }),
          tf.layers.dense({ units: 2, activation: 'softmax', useBias: false, name: 'classes' }),
        ],
      })
      return tf.sequential({ layers: [features, head] })
    })
    expect(model.inputs).toEqual(['picture'])
    expect(model.taps.map(({ id }) => id)).toEqual([
      'picture',
      'features/trunk/conv',
      'features/gap',
      'head/hidden',
      'head/classes/logits',
      'head/classes',
    ])
    expect(model.defaultTap).toBe('features/trunk/conv')
    const feed = randomTensor([1, 3, 6, 6], 4)
    const { values } = await model.ask({ feeds: { picture: feed }, read: ['head/classes'] })
    expect(largestDifference(at(values, 'head/classes').data, predicted(keras, feed))).toBeLessThan(1e-6)
    expect(await directionalError(model, { picture: feed }, 'features/trunk/conv')).toBeLessThan(0.01)
    expect(await model.linearHead('features/trunk/conv')).toBeNull()
  })

  it('opens a nested model each time it is called', async () => {
    const { model } = await explainable(() => {
      const inner = tf.sequential({
        name: 'inner',
        layers: [tf.layers.dense({ inputShape: [3], units: 3, activation: 'tanh', name: 'dense' })],
      })
      const input = tf.input({ shape: [3], name: 'x' })
      return tf.model({ inputs: input, outputs: inner.apply(inner.apply(input)) as tf.SymbolicTensor })
    })
    expect(model.taps.map(({ id }) => id)).toEqual(['x', 'inner/dense', 'inner/dense#2'])
    expect(await directionalError(model, { x: randomTensor([2, 3], 1) }, 'x')).toBeLessThan(0.01)
  })

  it('finds the logits of a head made of convolutions: [N, 1, 1, K] -> softmax -> reshape', async () => {
    const { model, keras } = await explainable(() =>
      tf.sequential({
        layers: [
          tf.layers.conv2d({ inputShape: [4, 4, 2], filters: 3, kernelSize: 1, activation: 'relu', name: 'last' }),
          tf.layers.globalAveragePooling2d({ name: 'gap' }),
          tf.layers.reshape({ targetShape: [1, 1, 3], name: 'reshape_1' }),
          tf.layers.dropout({ rate: 0.1, name: 'dropout' }),
          tf.layers.conv2d({ filters: 5, kernelSize: 1, padding: 'same', name: 'predictions' }),
          tf.layers.activation({ activation: 'softmax', name: 'softmax' }),
          tf.layers.reshape({ targetShape: [5], name: 'reshape_2' }),
        ],
      }),
    )
    const feed = randomTensor([2, 2, 4, 4], 4)
    expect(model.logits).toBe('softmax/logits')
    const { values } = await model.ask({ feeds: { last_input: feed }, read: [model.logits, 'last'] })
    expect(at(values, model.logits).dims).toEqual([2, 5])
    expect(largestDifference(softmax(at(values, model.logits)), predicted(keras, feed))).toBeLessThan(1e-6)
    const head = await model.linearHead('last')
    expect(head?.weights.dims).toEqual([5, 3])
  })

  it('refuses a model that is no classifier', async () => {
    const build = (): tf.LayersModel =>
      tf.sequential({ layers: [tf.layers.conv2d({ inputShape: [4, 4, 2], filters: 3, kernelSize: 1 })] })
    await expect(explainable(build)).rejects.toMatchObject({
      code: 'BAD_MODEL',
      userMessage: expect.stringContaining('classifier') as string,
    })
  })
})
