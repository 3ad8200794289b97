/**
 * Which TensorFlow.js backend runs: the first rung of a ladder that loads and gets a convolution and its gradient right.
 * The native backends are optional dependencies: where their binary is missing they fail to load, and on newer Nodes
 * they load and then break at the first operator, so loading alone proves nothing.
 */
import type { EventEmitter } from 'node:events'
import process from 'node:process'
import * as tf from '@tensorflow/tfjs'
import { AppError } from '../../errors.ts'
import type { EngineInfo } from '../model.ts'
import { registerGradients } from './gradients.ts'
import { registerKernels } from './kernels.ts'
import { mendLayers } from './mended-layers.ts'

/** One backend that may or may not work on this machine. */
export interface Rung {
  /** What `EngineInfo.backend` says. */
  readonly name: string
  /** The name it is registered under in TensorFlow.js. */
  readonly backend: string
  /** Imports and registers it. May throw, and may leave half a backend behind. */
  load(): Promise<unknown>
}

/** The answer of the ladder. */
export interface ChosenBackend {
  readonly name: string
  /** Why not a faster one; '' for the first rung. One line. */
  readonly reason: string
}

/** Imported by a name that the compiler does not see: optional packages have no types where they are not installed. */
function optional(specifier: string): () => Promise<unknown> {
  return () => import(specifier) as Promise<unknown>
}

async function loadWasm(): Promise<void> {
  const events: readonly string[] = ['uncaughtException', 'unhandledRejection']
  const emitter: Pick<EventEmitter, 'listeners' | 'removeListener'> = process
  const before = new Map(events.map((event) => [event, emitter.listeners(event)]))
  await import('@tensorflow/tfjs-backend-wasm')
  if (!(await tf.setBackend('wasm'))) throw new Error('the WebAssembly module did not start')
  // Emscripten installs handlers that rethrow, which would take a process down before its own handlers run.
  for (const [event, listeners] of before)
    for (const listener of emitter.listeners(event) as ((...values: unknown[]) => void)[])
      if (!listeners.includes(listener)) emitter.removeListener(event, listener)
  registerKernels('wasm')
}

/** Fastest first. */
export const RUNGS: readonly Rung[] = [
  { name: 'tensorflow-gpu', backend: 'tensorflow', load: optional('@tensorflow/tfjs-node-gpu') },
  { name: 'tensorflow', backend: 'tensorflow', load: optional('@tensorflow/tfjs-node') },
  { name: 'wasm', backend: 'wasm', load: loadWasm },
  { name: 'cpu', backend: 'cpu', load: () => Promise.resolve().then(() => registerKernels('cpu')) },
]

/** What of the global engine a broken backend can leave unbalanced when it throws in the middle of an operator. */
interface EngineState {
  gradientDepth: number
  kernelDepth: number
  activeTape: unknown
  scopeStack: unknown[]
}

function engineState(): EngineState {
  return tf.engine().state
}

/** Takes away everything a rung registered, so that the next one starts from a clean engine. */
function removeRung(backend: string, scopesBefore: number): void {
  const state = engineState()
  state.gradientDepth = 0
  state.kernelDepth = 0
  state.activeTape = null
  while (state.scopeStack.length > scopesBefore) {
    const depth = state.scopeStack.length
    try {
      tf.engine().endScope()
    } catch {
      // A backend that cannot even free its tensors: close the scope by hand.
      if (state.scopeStack.length === depth) state.scopeStack.pop()
    }
  }
  // The plain CPU backend is part of TensorFlow.js itself and what everything else stands on.
  if (backend === 'cpu') return
  try {
    tf.removeBackend(backend)
  } catch {
    // Its own dispose() failed; it is out of the registry's way all the same once another one is set.
  }
  for (const kernel of tf.getKernelsForBackend(backend)) tf.unregisterKernel(kernel.kernelName, backend)
}

/**
 * A convolution and its gradient with known values: x = 1..9 as [1, 3, 3, 1], kernel [[1, 2], [3, 4]], valid.
 * @throws Error naming what was wrong.
 */
export function smokeTest(): void {
  const expect = (what: string, tensor: tf.Tensor, expected: readonly number[]): void => {
    const found = [...tensor.dataSync()]
    if (
      found.length !== expected.length ||
      found.some((value, index) => !(Math.abs(value - Number(expected[index])) < 1e-4))
    )
      throw new Error(`${what}: expected ${expected.join(' ')}, found ${found.join(' ')}`)
  }
  tf.tidy(() => {
    const x = tf.tensor4d([1, 2, 3, 4, 5, 6, 7, 8, 9], [1, 3, 3, 1])
    const kernel = tf.tensor4d([1, 2, 3, 4], [2, 2, 1, 1])
    const convolve = (input: tf.Tensor): tf.Tensor => tf.conv2d(input as tf.Tensor4D, kernel, 1, 'valid')
    expect('convolution', convolve(x), [37, 47, 67, 77])
    const gradient = tf.grad((input) => tf.sum(convolve(input)))(x)
    expect('gradient of a convolution', gradient, [1, 3, 2, 4, 10, 6, 3, 7, 4])
  })
}

/** One line without paths of this machine. */
function firstLine(thrown: unknown): string {
  if (thrown instanceof Error && 'code' in thrown && /MODULE_NOT_FOUND/.test(String(thrown.code)))
    return 'not installed'
  const text = thrown instanceof Error ? thrown.message : String(thrown)
  return (text.split('\n')[0] ?? '').trim().slice(0, 160) || 'failed without a message'
}

/**
 * Walks down the ladder and leaves the first backend that works active.
 * @param log receives one line: the backend, and why each faster one failed.
 * @throws AppError INTERNAL when none works.
 */
export async function chooseBackend(
  rungs: readonly Rung[] = RUNGS,
  log: (line: string) => void = () => undefined,
): Promise<ChosenBackend> {
  registerGradients()
  mendLayers()
  tf.enableProdMode() // no advertisement for tfjs-node on the console
  const failures: string[] = []
  for (const rung of rungs) {
    const scopes = engineState().scopeStack.length
    try {
      await rung.load()
      if (!(await tf.setBackend(rung.backend))) throw new Error('does not start')
      smokeTest()
    } catch (thrown) {
      failures.push(`${rung.name}: ${firstLine(thrown)}`)
      removeRung(rung.backend, scopes)
      continue
    }
    const reason = failures.join('; ')
    log(`TensorFlow.js runs on ${rung.name}${reason === '' ? '' : ` (${reason})`}`)
    return { name: rung.name, reason }
  }
  throw new AppError({
    code: 'INTERNAL',
    message: `no TensorFlow.js backend works: ${failures.join('; ')}`,
    userMessage: 'No TensorFlow.js backend works on this machine. Use the ONNX version of this model.',
  })
}

// TensorFlow.js has one active backend a process, so it is chosen once a process.
let active: Promise<EngineInfo> | null = null

/** The process' TensorFlow.js backend, chosen at the first call. */
export function tfjsBackend(log?: (line: string) => void): Promise<EngineInfo> {
  active ??= chooseBackend(RUNGS, log).then(({ name, reason }) => ({
    name: 'tfjs',
    backend: name,
    version: tf.version_core,
    reason,
  }))
  return active
}
