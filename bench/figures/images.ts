/** Speed on CNNs, in units of ONNX Runtime's own forward pass on the same file with the same threads. */
import { InferenceSession } from 'onnxruntime-node'
import { loadOnnxModel } from '../../lib/engine/onnx/model/load.ts'
import { gradCam } from '../../lib/methods/image/grad-cam.ts'
import { atMost, type Bar, type BenchContext, type Benchmark, type Figure } from '../figure.ts'
import { ablationCamWeights, scoreCamWeights } from '../loops/cams.ts'
import { saliency } from '../loops/image-gradients.ts'
import { calling, compare, inTurn, type Contestant, type Ratio } from '../measure.ts'
import { mobileNetV2, resnet18, resnet50, type RandomNetwork } from '../random/architectures.ts'
import { camsOverGradient } from './comparing.ts'
import { oneClass, open, runMethod, type Opened } from './opened.ts'
import { sessionOptions, TARGET } from './yardstick.ts'

function figure(name: string, network: string, measured: Ratio, bar: Bar | null): Figure {
  const { ratio, aMs, bMs, rounds } = measured
  return {
    name: `${name}.${network}`,
    value: ratio,
    bar,
    unit: 'forward passes',
    detail: { ms: aMs, forwardMs: bMs, rounds },
  }
}

async function gradCamOverForward(opened: Opened, rounds: number, bar: number): Promise<Figure> {
  const measured = await compare(() => runMethod(gradCam, opened), opened.forward, rounds)
  return figure('gradcam_over_forward', opened.network.name, measured, atMost(bar))
}

async function inputGradientOverForward(opened: Opened, rounds: number, bar: number): Promise<Figure> {
  const measured = await compare(() => saliency({ ...opened, target: TARGET }), opened.forward, rounds)
  return figure('input_gradient_over_forward', opened.network.name, measured, atMost(bar))
}

/** Each channel of the last map set to zero in turn; only the head runs. */
async function ablationOverForward(opened: Opened, rounds: number, bar: number): Promise<Figure> {
  const loop = () => ablationCamWeights({ ...opened, lastMap: opened.network.lastMap, target: TARGET })
  const measured = await compare(loop, opened.forward, rounds)
  return figure('ablation_loop_over_forward', opened.network.name, measured, atMost(bar))
}

/** The picture behind a mask of each channel of the last map: as many forward passes as there are channels. */
async function scoreCamOverForward(opened: Opened): Promise<Figure> {
  const loop = () => scoreCamWeights({ ...opened, lastMap: opened.network.lastMap, target: TARGET })
  const forwards: Contestant = (calls) => calling(opened.forward)(10 * calls)
  const contestants = { loop: calling(loop), forward: forwards }
  const { loop: ms, forward } = await inTurn(contestants, { rounds: 2, calls: 1, warmUps: 0 })
  const measured = { ratio: ms / forward, aMs: ms, bMs: forward, rounds: 2 }
  return figure('scorecam_loop_over_forward', opened.network.name, measured, null)
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
  return { ...figure('first_answer_over_session', network.name, measured, atMost(bar)), unit: 'session creations' }
}

function imageBenchmark(name: string, make: () => RandomNetwork, bars: { gradCam: number; input: number }): Benchmark {
  return {
    name,
    async *run(context) {
      const network = make()
      const opened = await open(network, context)
      yield await gradCamOverForward(opened, context.rounds, bars.gradCam)
      yield await inputGradientOverForward(opened, context.rounds, bars.input)
      yield await camsOverGradient(opened, context.rounds)
      if (network.name === 'resnet-18') {
        yield await ablationOverForward(opened, context.rounds, 3)
        yield await scoreCamOverForward(opened)
      }
      if (network.name === 'resnet-50') yield await firstAnswerOverSession(opened, context, 2.5)
      await opened.close()
    },
  }
}

export const IMAGE_BENCHMARKS: readonly Benchmark[] = [
  imageBenchmark('resnet-18', resnet18, { gradCam: 1.08, input: 2.4 }),
  imageBenchmark('resnet-50', resnet50, { gradCam: 1.08, input: 2.4 }),
  imageBenchmark('mobilenet-v2', mobileNetV2, { gradCam: 1.15, input: 3.4 }),
]
