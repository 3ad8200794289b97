/** Real TensorFlow.js models from the data folder; skipped, saying so, where that is absent. */
import { access, readFile } from 'node:fs/promises'
import { join } from 'node:path'
import * as tf from '@tensorflow/tfjs'
import { describe, expect, it } from 'vitest'
import type { ExplainableModel } from '../../../../lib/engine/model.ts'
import { loadTfjsModel } from '../../../../lib/engine/tfjs/load.ts'
import { readArtifacts } from '../../../../lib/engine/tfjs/read-artifacts.ts'
import { teachableMachineCard } from '../../../../lib/models/teachable-machine.ts'
import { float32, zeros, type FloatTensor } from '../../../../lib/tensor/tensor.ts'
import { largestDifference } from './keras-models.ts'

const FOLDER = join(process.env['LIMELIGHT_DATA'] ?? '../shared/data', 'models')
const present = await access(FOLDER).then(
  () => true,
  () => false,
)
if (!present) console.warn(`real-models.test.ts skipped: there is no ${FOLDER} (set LIMELIGHT_DATA)`)

/** Soft waves in [low, low + 2 * swing]: [1, 3, 224, 224]. */
function picture(middle: number, swing: number): FloatTensor {
  const data = Float32Array.from({ length: 3 * 224 * 224 }, (_, index) => {
    const [x, y, c] = [index % 224, Math.floor(index / 224) % 224, Math.floor(index / (224 * 224))]
    return middle + swing * Math.sin((x + 2 * y) / (9 + 3 * c))
  })
  return float32(data, [1, 3, 224, 224])
}

/** The model as TensorFlow.js itself loads it, on [N, H, W, C]. */
async function predicted(path: string, feed: FloatTensor): Promise<Float32Array> {
  const artifacts = await readArtifacts(path)
  const keras = await tf.loadLayersModel({ load: () => Promise.resolve(artifacts) })
  const out = tf.tidy(
    () => keras.predict(tf.transpose(tf.tensor(feed.data, [1, 3, 224, 224]), [0, 2, 3, 1])) as tf.Tensor,
  )
  const values = Float32Array.from(out.dataSync())
  out.dispose()
  keras.dispose()
  return values
}

function oneHot(size: number, index: number): FloatTensor {
  const weights = zeros([1, size])
  weights.data[index] = 1
  return weights
}

function at(values: Readonly<Record<string, FloatTensor>>, id: string): FloatTensor {
  const found = values[id]
  if (found === undefined) throw new Error(`no ${id}`)
  return found
}

function tapOf(model: ExplainableModel, id: string): readonly (number | null)[] {
  return model.taps.find((tap) => tap.id === id)?.shape ?? []
}

describe.skipIf(!present)('real models', () => {
  it.each(['teachable-machine-cat', 'teachable-machine-gesture'])(
    '%s loads and is explained',
    async (name) => {
      const path = join(FOLDER, name, 'model.json')
      const card = await teachableMachineCard(join(FOLDER, name))
      const model = await loadTfjsModel(path, { defaultTap: card.defaultTap })
      try {
        expect(model.defaultTap).toBe('sequential_1/model1/out_relu')
        expect(tapOf(model, model.defaultTap)).toEqual([null, 1280, 7, 7])
        expect(tapOf(model, model.logits)).toEqual([null, card.labels.length])
        const feed = picture(0, 0.9)
        const output = model.taps.at(-1)?.id ?? ''
        const { values, gradients } = await model.ask({
          feeds: { [model.inputs[0] ?? '']: feed },
          read: [output, model.logits],
          gradient: { of: { [model.logits]: oneHot(card.labels.length, 0) }, wrt: [model.defaultTap] },
        })
        expect(largestDifference(at(values, output).data, await predicted(path, feed))).toBeLessThan(1e-5)
        expect(at(gradients, model.defaultTap).data.some((value) => value !== 0)).toBe(true)
        expect(await model.linearHead(model.defaultTap)).toBeNull()
      } finally {
        await model.dispose()
      }
    },
    60_000,
  )

  it('darknet-tiny: Grad-CAM at the last map has a closed form', async () => {
    const path = join(FOLDER, 'darknet-tiny-tfjs', 'model.json')
    const labels = (await readFile(join(FOLDER, 'darknet-tiny-tfjs', 'labels.txt'), 'utf8')).trim().split('\n')
    const model = await loadTfjsModel(path)
    try {
      const feed = picture(0.5, 0.4)
      const tap = 'conv2d_16'
      expect(model.defaultTap).toBe(tap)
      const { values, gradients } = await model.ask({
        feeds: { [model.inputs[0] ?? '']: feed },
        read: [tap, model.logits],
        gradient: { of: { [model.logits]: oneHot(labels.length, 281) }, wrt: [tap] },
      })
      expect(largestDifference(at(values, model.logits).data, await predicted(path, feed))).toBeLessThan(1e-4)
      // logit_k is the mean of map k, so its gradient is 1 / (H W) there and 0 in every other map.
      const [, channels = 0, height = 0, width = 0] = at(gradients, tap).dims
      expect(channels).toBe(labels.length)
      const area = height * width
      const expected = new Float32Array(channels * area).fill(1 / area, 281 * area, 282 * area)
      expect(largestDifference(at(gradients, tap).data, expected)).toBeLessThan(1e-8)
      const head = await model.linearHead('leaky_re_lu_15')
      expect(head?.weights.dims).toEqual([labels.length, 128])
    } finally {
      await model.dispose()
    }
  }, 60_000)

  it('mobilenet-v1 without one of its files is refused, naming it', async () => {
    await expect(loadTfjsModel(join(FOLDER, 'mobilenet-v1-tfjs-partial', 'model.json'))).rejects.toMatchObject({
      code: 'BAD_MODEL',
      userMessage: expect.stringMatching(/group37-shard1of1 is missing/) as string,
    })
  })
})
