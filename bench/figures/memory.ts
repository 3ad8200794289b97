/** Memory: the peak of a process that explains, against one that only runs the same file in ONNX Runtime. */
import { execFile } from 'node:child_process'
import { writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { promisify } from 'node:util'
import type { Benchmark, Figure } from '../figure.ts'
import { median } from '../measure.ts'
import { mobileNetV2, resnet18, resnet50, type RandomNetwork } from '../random/architectures.ts'

const CHILD = join(import.meta.dirname, '..', 'memory', 'child.ts')
const PROCESSES = 3

type Use = 'session' | 'grad-cam' | 'input-gradient'
const run = promisify(execFile)

/** The median of three processes, as the collector of garbage is not punctual. */
async function peakMiB(use: Use, path: string, threads: number): Promise<number> {
  const peaks: number[] = []
  for (let count = 0; count < PROCESSES; count++) {
    const { stdout } = await run(process.execPath, ['--import', 'tsx', CHILD, use, path, String(threads)])
    const bytes = Number(stdout)
    if (!(bytes > 0)) throw new Error(`${use}: no peak in ${JSON.stringify(stdout)}`)
    peaks.push(bytes / 2 ** 20)
  }
  return median(peaks)
}

const NETWORKS: readonly (() => RandomNetwork)[] = [resnet18, resnet50, mobileNetV2]

export const MEMORY_BENCHMARK: Benchmark = {
  name: 'memory',
  async *run({ folder, threads }): AsyncGenerator<Figure> {
    for (const make of NETWORKS) {
      const { name, bytes } = make()
      const path = join(folder, `${name}.onnx`)
      await writeFile(path, bytes)
      const session = await peakMiB('session', path, threads)
      for (const [figure, use] of [
        ['memory_over_session', 'grad-cam'],
        ['input_gradient_memory_over_session', 'input-gradient'],
      ] as const) {
        const peak = await peakMiB(use, path, threads)
        yield {
          name: `${figure}.${name}`,
          value: peak / session,
          bar: null,
          unit: "times the plain session's",
          detail: { peakMiB: peak, sessionMiB: session, fileMiB: bytes.length / 2 ** 20 },
        }
      }
    }
  },
}
