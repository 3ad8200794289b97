/**
 * A worker that stops in the middle of every run until the test lets it go: it reports half of the work as done, then
 * waits for the file LIMELIGHT_TEST_GATE. Its results are made up. It listens to the same protocol as the real one.
 */
import { existsSync, watch } from 'node:fs'
import { basename, dirname } from 'node:path'
import type { Tap } from '../../lib/engine/model.ts'
import { AppError } from '../../lib/errors.ts'
import { idIn } from '../../lib/models/model-ref.ts'
import { predictionsOf } from '../../lib/target/predictions.ts'
import { float32 } from '../../lib/tensor/tensor.ts'
import { describeKind } from '../../server/jobs/kinds/describe.ts'
import { explainKind } from '../../server/jobs/kinds/explain.ts'
import { serve } from '../../server/jobs/serve.ts'
import { openWorkerParts, readFolders } from '../../server/jobs/worker-parts.ts'

const gate = process.env['LIMELIGHT_TEST_GATE'] ?? ''
/** 'stubborn': does not listen to cancelling, as a worker stuck in native code. */
const stubborn = process.env['LIMELIGHT_TEST_STUBBORN'] === '1'
/** A model that it never has done with, as one that computes for ever. */
const endless = process.env['LIMELIGHT_TEST_ENDLESS']
const EMBEDDING: Tap = {
  id: 'embedding',
  label: 'embedding',
  kind: 'embedding',
  operator: 'Gather',
  shape: [null, null, 8],
  spatial: false,
  differentiable: true,
}
const engine = { name: 'onnx', backend: 'cpu', version: '0', reason: '' } as const

function gateOpen(signal: AbortSignal): Promise<void> {
  return new Promise((resolve, reject) => {
    const watcher = watch(dirname(gate), () => look())
    const look = (): void => {
      if (!existsSync(gate)) return
      watcher.close()
      resolve()
    }
    signal.addEventListener('abort', () => {
      if (stubborn) return
      watcher.close()
      reject(new AppError({ code: 'CANCELLED', message: 'cancelled' }))
    })
    look()
  })
}

if (basename(gate) === '') throw new Error('LIMELIGHT_TEST_GATE names no file')

const describe: typeof describeKind = {
  ...describeKind,
  handle({ model }) {
    // Blocks the thread, as native code does.
    if (endless === idIn(model)) Atomics.wait(new Int32Array(new SharedArrayBuffer(4)), 0, 0)
    return Promise.resolve({
      engine,
      facts: {
        title: idIn(model),
        modality: 'text',
        taps: [EMBEDDING],
        defaultTap: EMBEDDING.id,
        link: 'softmax',
        linearHeads: [],
        ruleSets: [],
        refusals: [],
      },
      notes: [],
    })
  },
}
const explain: typeof explainKind = {
  ...explainKind,
  handle: async ({ input }, _parts, hooks) => {
    hooks.progress(0.5)
    await gateOpen(hooks.signal)
    const predictions = predictionsOf(float32([2, -1], [2]), ['negative', 'positive'])
    const [target] = predictions
    if (target === undefined || input.kind !== 'text') throw new Error('only text here')
    const span = { text: input.text, start: 0, end: [...input.text].length, score: 0.5, special: false }
    return {
      explanation: {
        predictions,
        link: 'softmax' as const,
        target,
        scalar: target.logit,
        attribution: { kind: 'text', tokens: [span], words: [span], completeness: null },
        diagnoses: [],
        further: [],
        timings: { preprocessMs: 1, computeMs: 2 },
      },
      loadMs: 0,
      engine,
      libraries: {},
    }
  },
}

serve([describe, explain], openWorkerParts(readFolders(process.argv.slice(2))))
