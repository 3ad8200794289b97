import * as tf from '@tensorflow/tfjs'
import { afterEach, describe, expect, it } from 'vitest'
import { chooseBackend, RUNGS, smokeTest, type Rung } from '../../../../lib/engine/tfjs/backend.ts'

/** The plain CPU backend's kernels under another name, as the native packages register theirs; some of them changed. */
function imitation(name: string, changed: Readonly<Record<string, tf.KernelFunc>> = {}): Rung {
  const load = (): Promise<void> => {
    const factory = tf.findBackendFactory('cpu')
    tf.registerBackend(name, factory, 3)
    for (const kernel of tf.getKernelsForBackend('cpu'))
      tf.registerKernel({
        ...kernel,
        backendName: name,
        kernelFunc: changed[kernel.kernelName] ?? kernel.kernelFunc,
      })
    return Promise.resolve()
  }
  return { name: `${name} imitation`, backend: name, load }
}

const CPU = RUNGS.find(({ name }) => name === 'cpu')
const WASM = RUNGS.find(({ name }) => name === 'wasm')
if (CPU === undefined || WASM === undefined) throw new Error('the ladder has lost its last rungs')

interface State {
  gradientDepth: number
  kernelDepth: number
  activeTape: unknown
  scopeStack: unknown[]
}
const state = (): State => tf.engine().state

afterEach(() => {
  // Whatever a rung did, the engine is clean again: nothing half open, and gradients work.
  expect(state()).toMatchObject({ gradientDepth: 0, kernelDepth: 0 })
  expect(state().scopeStack).toHaveLength(0)
  expect(() => {
    smokeTest()
  }).not.toThrow()
})

describe('the ladder', () => {
  it('tries the native packages first, then WASM, then the plain backend', () => {
    expect(RUNGS.map(({ name }) => name)).toEqual(['tensorflow-gpu', 'tensorflow', 'wasm', 'cpu'])
  })

  it('takes the first rung that works, without a reason', async () => {
    const lines: string[] = []
    const chosen = await chooseBackend([imitation('fine'), CPU], (line) => lines.push(line))
    expect(chosen).toEqual({ name: 'fine imitation', reason: '' })
    expect(lines).toEqual(['TensorFlow.js runs on fine imitation'])
    expect(tf.getBackend()).toBe('fine')
  })

  it('says in one line why each faster rung failed, without paths of the machine', async () => {
    const lines: string[] = []
    const absent: Rung = {
      name: 'absent',
      backend: 'absent',
      load: () => import('@tensorflow/' + 'tfjs-which-does-not-exist') as Promise<unknown>,
    }
    const unloadable: Rung = {
      name: 'unloadable',
      backend: 'unloadable',
      load: () =>
        Promise.reject(new Error('The Node.js native addon module can not be found.\nPlease run npm rebuild')),
    }
    const chosen = await chooseBackend([absent, unloadable, CPU], (line) => lines.push(line))
    expect(chosen).toEqual({
      name: 'cpu',
      reason: 'absent: not installed; unloadable: The Node.js native addon module can not be found.',
    })
    expect(lines).toHaveLength(1)
  })

  it('passes over a backend that loads and then throws, as tfjs-node does on newer Nodes', async () => {
    const broken = imitation('broken', {
      Conv2D: () => {
        throw new TypeError('util_1.isNullOrUndefined is not a function')
      },
    })
    const tensors = tf.memory().numTensors
    const chosen = await chooseBackend([broken, CPU])
    expect(chosen.reason).toBe('broken imitation: util_1.isNullOrUndefined is not a function')
    expect(tf.getBackend()).toBe('cpu')
    expect(tf.findBackendFactory('broken')).toBeNull()
    expect(tf.getKernelsForBackend('broken')).toEqual([])
    expect(tf.memory().numTensors).toBe(tensors)
  })

  it('passes over a backend that throws in the middle of a gradient', async () => {
    const broken = imitation('no-gradient', {
      Conv2DBackpropInput: () => {
        throw new Error('no such kernel')
      },
    })
    expect(await chooseBackend([broken, CPU])).toMatchObject({ name: 'cpu', reason: /no such kernel/ })
  })

  it.each(['Conv2D', 'Conv2DBackpropInput'])('passes over a backend that gets %s wrong', async (kernelName) => {
    const right = tf.getKernel(kernelName, 'cpu')
    const wrong = imitation('wrong', {
      [kernelName]: (request) => {
        const out = right.kernelFunc(request) as tf.TensorInfo
        const numbers = (request.backend as unknown as { data: { get(id: object): { values: Float32Array } } }).data
        numbers.get(out.dataId).values[0] = 1e3
        return out
      },
    })
    expect(await chooseBackend([wrong, CPU])).toMatchObject({
      name: 'cpu',
      reason: expect.stringMatching(/^wrong imitation: .*convolution: expected .* found 1000/) as string,
    })
  })

  it('lets two rungs share a registered name, as the two native packages do', async () => {
    const loud: unknown[] = []
    const warn = console.warn
    console.warn = (...parts: unknown[]) => loud.push(parts)
    try {
      const broken = { ...imitation('shared', { Conv2D: () => { throw new Error('broken') } }), name: 'first' } // prettier-ignore
      const chosen = await chooseBackend([broken, { ...imitation('shared'), name: 'second' }, CPU])
      expect(chosen).toEqual({ name: 'second', reason: 'first: broken' })
    } finally {
      console.warn = warn
    }
    expect(loud).toEqual([])
  })

  it('runs WASM in Node, without leaving its process handlers behind', async () => {
    const before = [process.listenerCount('uncaughtException'), process.listenerCount('unhandledRejection')]
    expect(await chooseBackend([WASM, CPU])).toEqual({ name: 'wasm', reason: '' })
    expect([process.listenerCount('uncaughtException'), process.listenerCount('unhandledRejection')]).toEqual(before)
  })

  it('says so when nothing works', async () => {
    const nothing: Rung = { name: 'nothing', backend: 'nothing', load: () => Promise.reject(new Error('no')) }
    await expect(chooseBackend([nothing])).rejects.toMatchObject({
      code: 'INTERNAL',
      message: expect.stringContaining('nothing: no') as string,
      userMessage: expect.stringContaining('ONNX') as string,
    })
    await chooseBackend([CPU])
  })
})
