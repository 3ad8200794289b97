/**
 * What it takes to add an operator: a function in `operators/rules/` and a row in `operators/table.ts`, and every room knows it.
 * Here both come from the outside, for `Mod` (fmod), which the engine has not: nothing else is touched.
 */
import { describe, expect, test, vi } from 'vitest'
import { floatConstant, intConstant } from '../../../../../lib/engine/onnx/graph/constant.ts'
import { DataType, type GraphNode } from '../../../../../lib/engine/onnx/graph/graph.ts'
import { sensibleTap } from '../../../../../lib/engine/onnx/model/defaults.ts'
import type { Operator } from '../../../../../lib/engine/onnx/operators/operator.ts'
import * as table from '../../../../../lib/engine/onnx/operators/table.ts'
import { selectEarly } from '../../../../../lib/engine/onnx/question/select-early.ts'
import { float32 } from '../../../../../lib/tensor/tensor.ts'
import { checkGradient } from '../../../../helpers/check-gradient.ts'
import { graphOf, loadGraph, node } from '../../../../helpers/operator-model.ts'
import { normals } from '../../../../helpers/random.ts'
import { FINITE_DIFFERENCE } from '../../../../helpers/tolerance.ts'

type Table = Pick<typeof table, 'OPERATORS'>

vi.mock('../../../../../lib/engine/onnx/operators/table.ts', async (original) => {
  const { OPERATORS } = await original<Table>()
  const { elementwise } = await import('../../../../../lib/engine/onnx/operators/rules/rule.ts')
  /** y = fmod(x, b): the remainder has the sign of x, and the slope 1. */
  const remainder = elementwise(
    (_build, _in, _y, g) => g,
    (build, [x = '', b = ''], _y, g) => {
      const quotient = build.div(x, b)
      const whole = build.mul(build.op('Sign', [quotient]), build.op('Floor', [build.op('Abs', [quotient])]))
      return build.neg(build.mul(g, whole))
    },
  )
  const row: Operator = { rule: remainder, kind: 'activation', keepsMap: true, elementwise: true }
  return { OPERATORS: { ...OPERATORS, Mod: row } }
})

const fmod = { fmod: { kind: 'int', value: 1 } } as const
const floats = (values: Float32Array | readonly number[], dims: readonly number[]) => floatConstant(values, dims)

describe('an operator that is one function and one row', () => {
  test('is differentiated, with broadcasting undone', async () => {
    const inputs = [
      { name: 'x', type: DataType.float, shape: ['N', 5] },
      { name: 'b', type: DataType.float, shape: [5] },
    ]
    const nodes = [node('Mod', ['x', 'b'], ['y'], fmod)]
    const model = await loadGraph(graphOf({ nodes, inputs, outputs: ['y'], constants: new Map() }))
    // Remainders between 0.2 and 0.8 of the divisor: away from the jumps.
    const parts = normals(10, 3).map((one) => Math.sign(one) * (Math.round(Math.abs(one) * 2) + 0.5 + one / 10))
    const feeds = {
      x: float32(
        parts.map((one, at) => one * (1 + (at % 5))),
        [2, 5],
      ),
      b: float32(Float32Array.of(1, 2, 3, 4, 5), [5]),
    }
    const check = await checkGradient(model, feeds, ['x', 'b'], { y: float32(normals(10, 4), [2, 5]) }, 0.002)
    await model.dispose()
    expect(check.error).toBeLessThan(FINITE_DIFFERENCE)
  })

  test('is an activation, whose map is the default layer', async () => {
    const nodes = [
      node('Conv', ['x', 'w'], ['conv']),
      node('Mod', ['conv', 'b'], ['rest'], fmod),
      node('GlobalAveragePool', ['rest'], ['pooled']),
      node('Flatten', ['pooled'], ['logits']),
    ]
    const constants = new Map([
      ['w', floats(normals(12, 1), [3, 1, 2, 2])],
      ['b', floats([2], [])],
    ])
    const inputs = [{ name: 'x', type: DataType.float, shape: ['N', 1, 5, 5] }]
    const model = await loadGraph(graphOf({ nodes, inputs, outputs: ['logits'], constants }))
    await model.dispose()
    expect(model.taps.find((tap) => tap.id === 'rest')).toMatchObject({
      kind: 'activation',
      spatial: true,
      differentiable: true,
    })
    expect(model.taps.every((tap) => tap.differentiable)).toBe(true)
    expect(sensibleTap(model.taps)).toBe('rest')
  })

  test('lets a selection move in front of it', () => {
    const nodes: GraphNode[] = [
      node('Mod', ['x', 'b'], ['rest'], fmod),
      node('Gather', ['rest', 'first'], ['y'], { axis: { kind: 'int', value: 1 } }),
    ]
    const constants = new Map([
      ['b', floats([2], [])],
      ['first', intConstant([0], [])],
    ])
    const x = { name: 'x', type: DataType.float, shape: ['N', 6, 4] }
    const graph = graphOf({ nodes, inputs: [x], outputs: ['y'], constants })
    const values = new Map([x, { ...x, name: 'rest' }].map((one) => [one.name, one]))
    const moved = selectEarly({ ...graph, values }, new Set())
    expect(moved.nodes.filter((one) => one.operator === 'Mod').map((one) => one.inputs[0])).toEqual([
      'x',
      'limelight:selected/1/0/x',
    ])
  })
})

test('the engine has no such row of its own', async () => {
  const own = await vi.importActual<Table>('../../../../../lib/engine/onnx/operators/table.ts')
  expect(Object.keys(table.OPERATORS).filter((key) => !(key in own.OPERATORS))).toEqual(['Mod'])
})
