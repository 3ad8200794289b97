/** ResNet-18, ResNet-50 (He 2015, 1512.03385, table 1) and MobileNet v2 (Sandler 2018, 1801.04381, table 2) at full size. */
import { NetworkBuilder } from './network.ts'

const CLASSES = 1000
/** Residual branches are scaled down, so that activations stay of order one without trained normalisation. */
const BRANCH_GAIN = 0.5

export interface RandomNetwork {
  readonly name: string
  /** The last spatial map. */
  readonly lastMap: string
  readonly bytes: Uint8Array
}

function resnet(name: string, blocks: readonly number[], bottleneck: boolean, seed: number): RandomNetwork {
  const net = new NetworkBuilder(seed)
  const expansion = bottleneck ? 4 : 1
  let x = net.relu('relu1', net.conv('conv1', 'image', 3, 64, 7, { stride: 2 }))
  x = net.maxPool('maxpool', x, 3, 2, 1)
  let channels = 64
  for (const [stage, count] of blocks.entries()) {
    const width = 64 * 2 ** stage
    for (let block = 0; block < count; block++) {
      const id = `layer${stage + 1}.${block}`
      const stride = stage > 0 && block === 0 ? 2 : 1
      const out = width * expansion
      let branch: string
      if (bottleneck) {
        branch = net.relu(`${id}.relu1`, net.conv(`${id}.conv1`, x, channels, width, 1))
        branch = net.relu(`${id}.relu2`, net.conv(`${id}.conv2`, branch, width, width, 3, { stride }))
        branch = net.conv(`${id}.conv3`, branch, width, out, 1, { gain: BRANCH_GAIN })
      } else {
        branch = net.relu(`${id}.relu1`, net.conv(`${id}.conv1`, x, channels, width, 3, { stride }))
        branch = net.conv(`${id}.conv2`, branch, width, out, 3, { gain: BRANCH_GAIN })
      }
      const changes = stride !== 1 || channels !== out
      const shortcut = changes ? net.conv(`${id}.downsample`, x, channels, out, 1, { stride, gain: 0.7 }) : x
      x = net.relu(`${id}.relu`, net.add(`${id}.add`, branch, shortcut))
      channels = out
    }
  }
  net.head(x, channels, CLASSES)
  return { name, lastMap: x, bytes: net.bytes(name) }
}

/** [expansion, channels, repeats, stride], the paper's table 2. */
const MOBILENET_V2 = [
  [1, 16, 1, 1],
  [6, 24, 2, 2],
  [6, 32, 3, 2],
  [6, 64, 4, 2],
  [6, 96, 3, 1],
  [6, 160, 3, 2],
  [6, 320, 1, 1],
] as const

function mobilenetV2(seed: number): RandomNetwork {
  const net = new NetworkBuilder(seed)
  let x = net.relu6('features.0.relu', net.conv('features.0.conv', 'image', 3, 32, 3, { stride: 2 }))
  let channels = 32
  let index = 1
  for (const [expansion, out, repeats, firstStride] of MOBILENET_V2) {
    for (let repeat = 0; repeat < repeats; repeat++) {
      const id = `features.${index++}`
      const stride = repeat === 0 ? firstStride : 1
      const hidden = channels * expansion
      let branch = x
      if (expansion > 1) branch = net.relu6(`${id}.expand.relu`, net.conv(`${id}.expand`, x, channels, hidden, 1))
      branch = net.conv(`${id}.depthwise`, branch, hidden, hidden, 3, { stride, groups: hidden })
      branch = net.relu6(`${id}.depthwise.relu`, branch)
      branch = net.conv(`${id}.project`, branch, hidden, out, 1)
      x = stride === 1 && channels === out ? net.add(`${id}.add`, x, branch) : branch
      channels = out
    }
  }
  x = net.relu6('features.18.relu', net.conv('features.18.conv', x, channels, 1280, 1))
  net.head(x, 1280, CLASSES)
  return { name: 'mobilenet-v2', lastMap: x, bytes: net.bytes('mobilenet-v2') }
}

export const resnet18 = (): RandomNetwork => resnet('resnet-18', [2, 2, 2, 2], false, 18)
export const resnet50 = (): RandomNetwork => resnet('resnet-50', [3, 4, 6, 3], true, 50)
export const mobileNetV2 = (): RandomNetwork => mobilenetV2(2)
