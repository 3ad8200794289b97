/** How far ahead of pytorch-grad-cam and Captum on CNNs: their time divided by ours, for the same answer. */
import { writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { gradCam } from '../../lib/methods/image/grad-cam.ts'
import { gradCamPlusPlus } from '../../lib/methods/image/grad-cam-plus-plus.ts'
import type { Method } from '../../lib/methods/method.ts'
import { upsampleBilinear } from '../../lib/render/upsample.ts'
import type { FloatTensor } from '../../lib/tensor/tensor.ts'
import { atLeast, type BenchContext, type Benchmark, type Figure } from '../figure.ts'
import { ablationCamWeights, scoreCamWeights, weightedMap, type ChannelWeights } from '../loops/cams.ts'
import { imageIntegratedGradients, saliency } from '../loops/image-gradients.ts'
import { calling, inTurn, type Contestant, type Pace } from '../measure.ts'
import { agree } from '../peers/agreement.ts'
import { Peer, type PeerOptions } from '../peers/peer.ts'
import { mobileNetV2, resnet18, resnet50, type RandomNetwork } from '../random/architectures.ts'
import { open, runMethod, type Opened } from './opened.ts'
import { TARGET } from './yardstick.ts'

/** Rounding in other orders; gradients also differ where a ReLU's input is within rounding of zero. */
const LOGITS_BOUND = 1e-4
const MAP_BOUND = 1e-3
/** pytorch-grad-cam adds 1e-6 to the denominator of Grad-CAM++'s weights, which small gradients feel. */
const PLUS_PLUS_BOUND = 0.1
const GRADIENT_BOUND = 1e-2

const STEPS = 50
/** Points at once. Ours costs the same from 5 on; of Captum's 1, 5, 10, 25 and 50 its fastest, its default is 50. */
const OUR_BATCH = 5
const THEIR_BATCH = 5

interface Bars {
  readonly cam: number
  readonly gradient: number
  /** Null: these take too long there. */
  readonly ablationCam: number | null
  readonly scoreCam: number | null
}

interface Duel {
  readonly peer: Peer
  readonly opened: Opened
  readonly rounds: number
}

/** pytorch-grad-cam's display: rectified, scaled to 0..1, enlarged, scaled again. */
function displayed(map: FloatTensor, [height = 0, width = 0]: readonly number[]): Float32Array {
  const scaled = (values: Float32Array): Float32Array => {
    const least = values.reduce((a, b) => Math.min(a, b), Infinity)
    const most = values.reduce((a, b) => Math.max(a, b), -Infinity)
    return values.map((value) => (value - least) / (most - least))
  }
  const small = scaled(map.data.map((value) => Math.max(value, 0)))
  return scaled(upsampleBilinear({ ...map, data: small }, width, height).data)
}

interface Contest {
  /** `pytorch-grad-cam-gradcam`, as in the figure's name. */
  readonly name: string
  readonly method: string
  readonly options?: PeerOptions
  /** Null: only reported. */
  readonly bar: number | null
  readonly pace: Pace
  /** Calls a picture by which both times are divided, for methods that are counted per gradient. */
  readonly per?: number
  /** Calls of ours for each of theirs, where one of theirs takes a minute. */
  readonly repeat?: number
  /** Leaves out the peer with folded normalisation, where a call takes long. */
  readonly unfoldedOnly?: boolean
  ours(): Promise<FloatTensor>
  /** The distance between the two answers. @throws Error where they are not the same. */
  compare(ours: FloatTensor, theirs: FloatTensor): number
}

async function figureOf({ peer, opened }: Duel, contest: Contest): Promise<Figure> {
  const { name } = opened.network
  const { method, options = {}, per = 1 } = contest
  const answers: FloatTensor[] = []
  const run = calling(async () => (answers[0] = await contest.ours()))
  const forwards: Contestant = (calls) => calling(opened.forward)(Math.max(5, calls))
  const contestants: Readonly<Record<string, Contestant>> = {
    theirs: peer.contestant(name, method, options),
    ours: (calls) => run(calls * (contest.repeat ?? 1)),
    forward: forwards,
    ...(contest.unfoldedOnly === true ? {} : { folded: peer.contestant(`${name}-folded`, method, options) }),
  }
  const { theirs = NaN, ours = NaN, forward = NaN, folded } = await inTurn(contestants, contest.pace)
  const [answer] = answers
  if (answer === undefined) throw new Error('no answer of ours')
  const distance = contest.compare(answer, await peer.answer(name, method, options))
  return {
    name: `peers.${contest.name}.${name}`,
    value: theirs / ours,
    bar: contest.bar === null ? null : atLeast(contest.bar),
    unit: 'times our time',
    detail: {
      ms: ours / per,
      peerMs: theirs / per,
      forwardMs: forward,
      peerForwards: theirs / per / forward,
      ...(folded === undefined ? {} : { foldedPeerMs: folded / per, foldedRatio: folded / ours }),
      distance,
      rounds: contest.pace.rounds,
    },
  }
}

const compareMaps =
  (bound: number) =>
  (ours: FloatTensor, theirs: FloatTensor): number =>
    agree('the map', displayed(ours, theirs.dims), theirs.data, bound)
const compareGradients = (ours: FloatTensor, theirs: FloatTensor): number =>
  agree('the gradient', ours.data, theirs.data, GRADIENT_BOUND)

function productCam(duel: Duel, name: string, method: Method, bar: number, bound: number): Contest {
  return {
    name,
    method: method.id,
    bar,
    pace: { rounds: duel.rounds, calls: 3, warmUps: 1 },
    ours: async () => (await runMethod(method, duel.opened)).map,
    compare: compareMaps(bound),
  }
}

/** The channels by the weights of an inner loop. */
function loopCam(
  method: string,
  loop: () => Promise<ChannelWeights>,
  { bar, rounds, repeat }: { bar: number; rounds: number; repeat: number },
): Contest {
  return {
    name: `pytorch-grad-cam-${method.replace('-', '')}`,
    method,
    bar,
    pace: { rounds, calls: 1, warmUps: 0 },
    repeat,
    unfoldedOnly: true,
    ours: async () => weightedMap(await loop()),
    compare: compareMaps(MAP_BOUND),
  }
}

function* contests(duel: Duel, bars: Bars): Generator<Contest> {
  const { opened, rounds } = duel
  const explained = { ...opened, lastMap: opened.network.lastMap, target: TARGET }
  yield productCam(duel, 'pytorch-grad-cam-gradcam', gradCam, bars.cam, MAP_BOUND)
  yield productCam(duel, 'pytorch-grad-cam-gradcamplusplus', gradCamPlusPlus, bars.cam, PLUS_PLUS_BOUND)
  yield {
    name: 'captum-saliency',
    method: 'saliency',
    bar: bars.gradient,
    pace: { rounds, calls: 3, warmUps: 1 },
    ours: () => saliency(explained),
    compare: compareGradients,
  }
  const integrated = {
    method: 'integrated-gradients',
    per: STEPS,
    ours: () => imageIntegratedGradients(explained, STEPS, OUR_BATCH),
    compare: compareGradients,
  }
  yield {
    ...integrated,
    name: 'captum-integrated-gradients',
    options: { batch: THEIR_BATCH },
    bar: bars.gradient,
    pace: { rounds: Math.max(2, Math.round(rounds / 5)), calls: 1, warmUps: 0 },
  }
  yield {
    ...integrated,
    name: 'captum-integrated-gradients-by-default',
    bar: null,
    pace: { rounds: 1, calls: 1, warmUps: 0 },
    unfoldedOnly: true,
  }
  const seconds = { rounds: 2, repeat: 1 }
  if (bars.scoreCam !== null)
    yield loopCam('score-cam', () => scoreCamWeights(explained), { ...seconds, bar: bars.scoreCam })
  const minute = { rounds: 1, repeat: 5 }
  if (bars.ablationCam !== null)
    yield loopCam('ablation-cam', () => ablationCamWeights(explained), { ...minute, bar: bars.ablationCam })
}

async function prepare(peer: Peer, opened: Opened, context: BenchContext): Promise<void> {
  const { name } = opened.network
  const path = join(context.folder, `${name}.f32`)
  await writeFile(path, new Uint8Array(opened.image.data.buffer))
  const { values } = await opened.model.ask({ feeds: { image: opened.image }, read: [opened.model.logits] })
  for (const model of [name, `${name}-folded`]) {
    await peer.load(model, opened.path)
    const logits = await peer.input(model, { image: path, shape: opened.image.dims, target: TARGET })
    agree(`${model}: the logits`, values[opened.model.logits]?.data ?? [], logits, LOGITS_BOUND)
  }
}

function imagePeers(python: string, network: string, make: () => RandomNetwork, bars: Bars): Benchmark {
  return {
    name: `peers-${network}`,
    async *run(context) {
      const peer = new Peer(python, context.threads, context.folder)
      const opened = await open(make(), context)
      try {
        await prepare(peer, opened, context)
        const duel = { peer, opened, rounds: context.rounds }
        for (const contest of contests(duel, bars)) yield await figureOf(duel, contest)
      } finally {
        peer.close()
        await opened.close()
      }
    },
  }
}

export const imagePeerBenchmarks = (python: string): readonly Benchmark[] => [
  imagePeers(python, 'resnet-18', resnet18, { cam: 4.5, gradient: 2.2, ablationCam: 50, scoreCam: 1.2 }),
  imagePeers(python, 'resnet-50', resnet50, { cam: 4.5, gradient: 2.2, ablationCam: null, scoreCam: null }),
  imagePeers(python, 'mobilenet-v2', mobileNetV2, { cam: 9, gradient: 3.3, ablationCam: 50, scoreCam: 4 }),
]
