/** Speed on CNNs, in units of ONNX Runtime's own forward pass on the same file with the same threads. */
import { writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { InferenceSession, Tensor as RuntimeTensor } from 'onnxruntime-node'
import { loadOnnxModel } from '../../lib/engine/onnx/load.ts'
import type { ExplainableModel } from '../../lib/engine/model.ts'
import { gradCam } from '../../lib/methods/image/grad-cam.ts'
import { float32, type FloatTensor } from '../../lib/tensor/tensor.ts'
import type { BenchContext, Benchmark, Figure } from '../figure.ts'
import { compare } from '../measure.ts'
import { mobileNetV2, resnet18, resnet50, type RandomNetwork } from '../random/architectures.ts'
import { uniform } from '../random/network.ts'

const SIDE = 224
const TARGET = 3

interface Opened {
  readonly network: RandomNetwork
  readonly path: string
  readonly model: ExplainableModel
  readonly image: FloatTensor
  readonly classes: number
  /** ONNX Runtime itself, nothing of ours. */
  forward(): Promise<unknown>
  close(): Promise<void>
}

function sessionOptions(threads: number): InferenceSession.SessionOptions {
  return { intraOpNumThreads: threads, graphOptimizationLevel: 'all' }
}

async function open(network: RandomNetwork, context: BenchContext): Promise<Opened> {
  const path = join(context.folder, `${network.name}.onnx`)
  await writeFile(path, network.bytes)
  const random = uniform(1)
  const image = float32(
    Float32Array.from({ length: 3 * SIDE * SIDE }, () => 2 * random() - 1),
    [1, 3, SIDE, SIDE],
  )
  const session = await InferenceSession.create(path, sessionOptions(context.threads))
  const feed = { image: new RuntimeTensor('float32', image.data, image.dims) }
  const first = await session.run(feed)
  const model = await loadOnnxModel(path, { threads: context.threads })
  return {
    network,
    path,
    model,
    image,
    classes: first['logits']?.dims[1] ?? 0,
    forward: () => session.run(feed),
    close: async () => {
      await model.dispose()
      await session.release()
    },
  }
}

function oneClass(classes: number, rows = 1): FloatTensor {
  const data = new Float32Array(rows * classes)
  for (let row = 0; row < rows; row++) data[row * classes + TARGET] = 1
  return float32(data, [rows, classes])
}

function figure(name: string, network: string, measured: Awaited<ReturnType<typeof compare>>, bar: number): Figure {
  const { ratio, aMs, bMs, rounds } = measured
  return {
    name: `${name}.${network}`,
    value: ratio,
    bar,
    unit: 'forward passes',
    detail: { ms: aMs, forwardMs: bMs, rounds },
  }
}

/** The product's own method, from the preprocessed image to the signed map. */
async function gradCamOverForward(opened: Opened, rounds: number, bar: number): Promise<Figure> {
  if (gradCam.modality !== 'image') throw new TypeError('grad-cam is an image method')
  const method = gradCam
  const params = method.params.parse({})
  const run = () =>
    method.run(
      {
        modality: 'image',
        model: opened.model,
        feeds: { image: opened.image },
        target: { index: TARGET },
        seed: 0,
        signal: new AbortController().signal,
        progress: () => undefined,
      },
      params,
    )
  return figure('gradcam_over_forward', opened.network.name, await compare(run, opened.forward, rounds), bar)
}

async function inputGradientOverForward(opened: Opened, rounds: number, bar: number): Promise<Figure> {
  const { model, image, classes } = opened
  const gradient = () =>
    model.ask({
      feeds: { image },
      read: [model.logits],
      gradient: { of: { [model.logits]: oneClass(classes) }, wrt: ['image'] },
    })
  return figure(
    'input_gradient_over_forward',
    opened.network.name,
    await compare(gradient, opened.forward, rounds),
    bar,
  )
}

const ABLATION_BATCH = 64

/** Ablation-CAM's inner loop: each channel of the last map set to zero in turn; only the head runs. */
async function ablationOverForward(opened: Opened, rounds: number, bar: number): Promise<Figure> {
  const { model, image, network } = opened
  const answer = await model.ask({ feeds: { image }, read: [network.lastMap] })
  const map = answer.values[network.lastMap]
  if (map === undefined) throw new Error('no map')
  const [, channels = 0, height = 0, width = 0] = map.dims
  const area = height * width
  const loop = async () => {
    for (let start = 0; start < channels; start += ABLATION_BATCH) {
      const batch = new Float32Array(ABLATION_BATCH * channels * area)
      for (let row = 0; row < ABLATION_BATCH; row++) {
        batch.set(map.data, row * channels * area)
        batch.fill(0, (row * channels + start + row) * area, (row * channels + start + row + 1) * area)
      }
      const from = { [network.lastMap]: float32(batch, [ABLATION_BATCH, channels, height, width]) }
      await model.ask({ from, read: [model.logits] })
    }
  }
  return figure('ablation_loop_over_forward', network.name, await compare(loop, opened.forward, rounds), bar)
}

/** Loading, compiling and answering the first Grad-CAM question, against the runtime's own session creation. */
async function firstAnswerOverSession(opened: Opened, context: BenchContext, bar: number): Promise<Figure> {
  const { path, network, image, classes } = opened
  const first = async () => {
    const model = await loadOnnxModel(path, { threads: context.threads })
    await model.ask({
      feeds: { image },
      read: [model.logits, network.lastMap],
      gradient: { of: { [model.logits]: oneClass(classes) }, wrt: [network.lastMap] },
    })
    await model.dispose()
  }
  const create = async () => {
    const session = await InferenceSession.create(path, sessionOptions(context.threads))
    await session.release()
  }
  const measured = await compare(first, create, Math.max(3, Math.round(context.rounds / 4)))
  return { ...figure('first_answer_over_session', network.name, measured, bar), unit: 'session creations' }
}

function imageBenchmark(make: () => RandomNetwork, bars: { gradCam: number; input: number }): Benchmark {
  return {
    name: make().name,
    async *run(context) {
      const network = make()
      const opened = await open(network, context)
      yield await gradCamOverForward(opened, context.rounds, bars.gradCam)
      yield await inputGradientOverForward(opened, context.rounds, bars.input)
      if (network.name === 'resnet-18') yield await ablationOverForward(opened, context.rounds, 3)
      if (network.name === 'resnet-50') yield await firstAnswerOverSession(opened, context, 2.5)
      await opened.close()
    },
  }
}

export const IMAGE_BENCHMARKS: readonly Benchmark[] = [
  imageBenchmark(resnet18, { gradCam: 1.08, input: 2.4 }),
  imageBenchmark(resnet50, { gradCam: 1.08, input: 2.4 }),
  imageBenchmark(mobileNetV2, { gradCam: 1.15, input: 3.4 }),
]
