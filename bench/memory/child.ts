/**
 * One way of using a model, in a process of its own: `child.ts session|grad-cam|input-gradient MODEL.onnx THREADS` prints the
 * most memory that it ever held, in bytes.
 */
import { InferenceSession, Tensor } from 'onnxruntime-node'
import { noisePicture, sessionOptions, TARGET } from '../figures/yardstick.ts'
import { peakResidentBytes } from './peak.ts'

const TIMES = 3

const [use = '', path = '', threads = ''] = process.argv.slice(2)
const image = noisePicture()

/** What is loaded differs with the use: nothing of Limelight where ONNX Runtime is measured alone. */
const uses: Readonly<Record<string, () => Promise<() => Promise<unknown>>>> = {
  session: async () => {
    const session = await InferenceSession.create(path, sessionOptions(Number(threads)))
    return () => session.run({ image: new Tensor('float32', image.data, image.dims) })
  },
  'grad-cam': async () => {
    const { loadOnnxModel } = await import('../../lib/engine/onnx/model/load.ts')
    const { runMethod } = await import('../figures/opened.ts')
    const { gradCam } = await import('../../lib/methods/image/grad-cam.ts')
    const { opened } = await import('../figures/contexts.ts')
    const model = await loadOnnxModel(path, { threads: Number(threads) })
    const { values } = await model.ask({ feeds: { image }, read: [model.logits] })
    const product = await opened(model, 'image', values[model.logits]?.dims[1] ?? 0)
    return () => runMethod(gradCam, { product, image })
  },
  'input-gradient': async () => {
    const { loadOnnxModel } = await import('../../lib/engine/onnx/model/load.ts')
    const { saliency } = await import('../loops/image-gradients.ts')
    const model = await loadOnnxModel(path, { threads: Number(threads) })
    const { values } = await model.ask({ feeds: { image }, read: [model.logits] })
    const classes = values[model.logits]?.dims[1] ?? 0
    return () => saliency({ model, image, target: TARGET, classes })
  },
}
const prepare = uses[use]
if (prepare === undefined) throw new Error(`usage: child.ts ${Object.keys(uses).join('|')} MODEL.onnx THREADS`)
const call = await prepare()
for (let time = 0; time < TIMES; time++) await call()
process.stdout.write(`${peakResidentBytes()}\n`)
