import { cp, mkdir, rm, symlink, truncate, writeFile } from 'node:fs/promises'
import { dirname, join } from 'node:path'
import * as tf from '@tensorflow/tfjs'
import { beforeAll, describe, expect, it } from 'vitest'
import { tfjsBackend } from '../../../../lib/engine/tfjs/backend.ts'
import { loadTfjsModel } from '../../../../lib/engine/tfjs/load.ts'
import { exportModel, largestDifference, randomTensor, seedWeights, smallCnn, temporaryFolder } from './keras-models.ts'

interface Manifest {
  modelTopology: Record<string, unknown>
  weightsManifest: {
    paths: string[]
    weights: { name: string; shape: number[]; dtype: string; quantization?: object }[]
  }[]
}

let keras: tf.LayersModel
beforeAll(async () => {
  await tfjsBackend()
  keras = smallCnn()
  seedWeights(keras)
})

/** An export whose model.json is changed. */
function changed(change: (json: Manifest) => void): Promise<string> {
  return exportModel(keras, (json) => {
    change(json as unknown as Manifest)
  })
}

function first(json: Manifest): Manifest['weightsManifest'][number] {
  const [group] = json.weightsManifest
  if (group === undefined) throw new Error('no group of weights')
  return group
}

/** Writes the weights again as TensorFlow.js' converter quantises them. */
async function quantised(dtype: 'uint8' | 'uint16' | 'float16'): Promise<string> {
  const bytes: Uint8Array[] = []
  const path = await changed((json) => {
    for (const spec of first(json).weights) {
      const tensor = keras.weights.find(({ originalName }) => originalName === spec.name)?.read()
      const values = tensor?.dataSync<'float32'>() ?? new Float32Array()
      if (dtype === 'float16') {
        spec.quantization = { dtype }
        bytes.push(new Uint8Array(Uint16Array.from(values, half).buffer))
        continue
      }
      const min = Math.min(...values)
      const scale = (Math.max(...values) - min) / (dtype === 'uint8' ? 255 : 65535) || 1
      spec.quantization = { dtype, min, scale }
      const numbers = Array.from(values, (value) => Math.round((value - min) / scale))
      bytes.push(dtype === 'uint8' ? Uint8Array.from(numbers) : new Uint8Array(Uint16Array.from(numbers).buffer))
    }
  })
  await writeFile(join(dirname(path), 'weights.bin'), Buffer.concat(bytes))
  return path
}

/** The nearest float16's bits, for normal numbers of moderate size. */
function half(value: number): number {
  if (Math.abs(value) < 2 ** -14) return value < 0 ? 0x8000 : 0
  const exponent = Math.floor(Math.log2(Math.abs(value)))
  const mantissa = Math.round((Math.abs(value) / 2 ** exponent - 1) * 1024)
  return (value < 0 ? 0x8000 : 0) + ((exponent + 15) << 10) + mantissa
}

const feeds = { conv_input: randomTensor([1, 3, 8, 8], 7) }
async function logitsOf(path: string): Promise<Float32Array> {
  const model = await loadTfjsModel(path)
  const { values } = await model.ask({ feeds, read: [model.logits] })
  await model.dispose()
  return values[model.logits]?.data ?? new Float32Array()
}

describe('weights', () => {
  it.each([
    ['float16', 2e-3],
    ['uint16', 1e-3],
    ['uint8', 0.05],
  ] as const)('quantised to %s are read', async (dtype, tolerance) => {
    const exact = await logitsOf(await changed(() => undefined))
    const found = await logitsOf(await quantised(dtype))
    expect(largestDifference(found, exact)).toBeGreaterThan(0)
    expect(largestDifference(found, exact)).toBeLessThan(tolerance)
  })

  it('may lie in several files', async () => {
    const path = await changed((json) => {
      first(json).paths = ['part1', 'folder/part2']
    })
    const folder = dirname(path)
    const { readFile } = await import('node:fs/promises')
    const bytes = await readFile(join(folder, 'weights.bin'))
    await mkdir(join(folder, 'folder'))
    await writeFile(join(folder, 'part1'), bytes.subarray(0, 101))
    await writeFile(join(folder, 'folder', 'part2'), bytes.subarray(101))
    await rm(join(folder, 'weights.bin'))
    expect([...(await logitsOf(path))]).toEqual([...(await logitsOf(await changed(() => undefined)))])
  })

  it('are released with the model', async () => {
    const path = await changed(() => undefined)
    await logitsOf(path)
    const { numTensors } = tf.memory()
    await logitsOf(path)
    expect(tf.memory().numTensors).toBe(numTensors)
  })
})

describe('refused, saying what is wrong and what to do', () => {
  const cases: readonly [string, () => Promise<string>, RegExp][] = [
    ['no model.json', async () => join(await temporaryFolder(), 'model.json'), /no readable model\.json/],
    [
      'not JSON',
      async () => {
        const path = await changed(() => undefined)
        await truncate(path, 100)
        return path
      },
      /not JSON/,
    ],
    [
      'a GraphModel',
      () =>
        changed((json) => {
          Object.assign(json, { format: 'graph-model' })
        }),
      /GraphModel.*ONNX/,
    ],
    [
      'no topology',
      () =>
        changed((json) => {
          Object.assign(json, { modelTopology: null })
        }),
      /modelTopology/,
    ],
    [
      'no manifest',
      () =>
        changed((json) => {
          Object.assign(json, { weightsManifest: undefined })
        }),
      /weightsManifest/,
    ],
    [
      'a missing file',
      async () => {
        const path = await changed(() => undefined)
        await rm(join(dirname(path), 'weights.bin'))
        return path
      },
      /weights\.bin is missing.*Copy the whole folder/,
    ],
    [
      'a truncated file',
      async () => {
        const path = await changed(() => undefined)
        await truncate(join(dirname(path), 'weights.bin'), 11)
        return path
      },
      /11 bytes where its manifest needs \d+.*truncated/,
    ],
    [
      'a manifest that lies about a shape',
      () =>
        changed((json) => {
          first(json).weights[0]?.shape.push(2)
        }),
      /bytes where its manifest needs/,
    ],
    [
      'a negative shape',
      () =>
        changed((json) => {
          first(json).weights[0]?.shape.push(-1)
        }),
      /weightsManifest/,
    ],
    [
      'a weight that the topology has not',
      () =>
        changed((json) => {
          const weight = first(json).weights[0]
          if (weight !== undefined) weight.name = 'nobody/kernel'
        }),
      /nobody/,
    ],
    [
      'an unknown layer',
      () =>
        changed((json) => {
          const text = JSON.stringify(json.modelTopology).replace('BatchNormalization', 'MagicNormalization')
          json.modelTopology = JSON.parse(text) as Record<string, unknown>
        }),
      /MagicNormalization/,
    ],
    [
      'a model of Keras 3',
      () =>
        changed((json) => {
          json.modelTopology = {
            keras_version: '3.3.3',
            model_config: {
              class_name: 'Functional',
              config: {
                name: 'functional',
                layers: [
                  {
                    class_name: 'InputLayer',
                    config: { batch_shape: [null, 4], name: 'x' },
                    name: 'x',
                    inbound_nodes: [],
                  },
                ],
                input_layers: [['x', 0, 0]],
                output_layers: [['x', 0, 0]],
              },
            },
          }
        }),
      /written by Keras 3.*Keras 2/,
    ],
  ]
  it.each(cases)('%s', async (_, make, message) => {
    await expect(loadTfjsModel(await make())).rejects.toMatchObject({
      code: 'BAD_MODEL',
      userMessage: expect.stringMatching(message) as string,
    })
  })

  it.each(['../outside.bin', 'link.bin'])('a weight file outside the folder: %s', async (name) => {
    const path = await changed((json) => {
      first(json).paths = [name]
    })
    const folder = dirname(path)
    const outside = join(dirname(folder), 'outside.bin')
    await cp(join(folder, 'weights.bin'), outside)
    try {
      if (name === 'link.bin') await symlink(outside, join(folder, name))
      await expect(loadTfjsModel(path)).rejects.toMatchObject({
        code: 'BAD_MODEL',
        userMessage: expect.stringMatching(/outside the model's folder/) as string,
      })
    } finally {
      await rm(outside)
    }
  })

  it('a default tap that the model has not', async () => {
    const path = await changed(() => undefined)
    await expect(loadTfjsModel(path, { defaultTap: 'nowhere' })).rejects.toMatchObject({ code: 'UNKNOWN_LAYER' })
  })
})
