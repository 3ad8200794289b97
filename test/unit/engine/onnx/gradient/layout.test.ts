/**
 * The gradient of a CNN stays in ONNX Runtime's blocked layout: few copies in and out of it in the graph that the runtime
 * makes of ours. Runtimes for processors without that layout make none at all.
 */
import { mkdtemp, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join, resolve } from 'node:path'
import { InferenceSession } from 'onnxruntime-node'
import { expect, test } from 'vitest'
import { PLAIN } from '../../../../../lib/engine/onnx/gradient/bending.ts'
import { compileQuestion, NO_FORMULAS } from '../../../../../lib/engine/onnx/question/compile.ts'
import { prepareGraph } from '../../../../../lib/engine/onnx/prepare/prepare-graph.ts'
import { readModelFile } from '../../../../../lib/engine/onnx/file/read-model.ts'
import { findHead } from '../../../../../lib/engine/onnx/model/head.ts'
import { writeModel } from '../../../../../lib/engine/onnx/file/write-model.ts'

/** How often each operator occurs in the runtime's own version of a graph. */
async function optimisedOperators(model: Uint8Array): Promise<ReadonlyMap<string, number>> {
  const folder = await mkdtemp(join(tmpdir(), 'limelight-layout-'))
  try {
    const path = join(folder, 'optimised.onnx')
    const session = await InferenceSession.create(model, {
      graphOptimizationLevel: 'all',
      optimizedModelFilePath: path,
      intraOpNumThreads: 1,
      logSeverityLevel: 3,
    })
    await session.release()
    const counts = new Map<string, number>()
    for (const { operator } of (await readModelFile(path)).nodes) counts.set(operator, (counts.get(operator) ?? 0) + 1)
    return counts
  } finally {
    await rm(folder, { recursive: true, force: true })
  }
}

const COPIES = 3

test('pets-cnn: the gradient at the picture', async () => {
  const graph = await prepareGraph(await readModelFile(resolve('models/pets-cnn/model.onnx')))
  const { logits } = findHead(graph)
  const wrt = graph.inputs.map((one) => one.name)
  const compiled = compileQuestion(graph, {
    replaced: [],
    read: [logits],
    of: [logits],
    wrt,
    rules: PLAIN,
    formulas: NO_FORMULAS,
  })
  const counts = await optimisedOperators(writeModel(compiled.graph))
  expect(counts.get('Conv') ?? 0).toBeGreaterThan(50)
  expect(counts.get('ReorderOutput') ?? 0).toBeLessThanOrEqual(COPIES)
  expect(counts.get('ReorderInput') ?? 0).toBeLessThanOrEqual(COPIES)
  expect(counts.get('ConvTranspose') ?? 0).toBe(0)
  expect(counts.get('Where') ?? 0).toBe(0)
})
