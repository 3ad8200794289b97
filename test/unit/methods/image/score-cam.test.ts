import { describe, expect, it } from 'vitest'
import { scoreCam } from '../../../../lib/methods/image/score-cam.ts'
import { upsampleBilinear } from '../../../../lib/render/upsample.ts'
import { softmax } from '../../../../lib/target/links.ts'
import { float32 } from '../../../../lib/tensor/tensor.ts'
import { imageContext, runImageMethod } from '../../../helpers/image-context.ts'
import { TinyCnn, tinyFeed } from '../../../helpers/tiny-cnn.ts'
import { TINY_CASES, TINY_SHAPES, type TinyLayer } from '../../../helpers/tiny-cnn-literal.ts'

const SIDE = 6

/** Bilinear with the outermost values on the edge (align_corners=true), place by place. */
function byCorners(cells: readonly number[], side: number): number[] {
  const at = (y: number, x: number): number => cells[Math.min(y, side - 1) * side + Math.min(x, side - 1)] ?? NaN
  return Array.from({ length: SIDE * SIDE }, (_, place) => {
    const position = (one: number): number => (one * (side - 1)) / (SIDE - 1)
    const [y, x] = [position(Math.floor(place / SIDE)), position(place % SIDE)]
    const [top, left] = [Math.floor(y), Math.floor(x)]
    const [down, right] = [y - top, x - left]
    const upper = at(top, left) * (1 - right) + at(top, left + 1) * right
    return upper * (1 - down) + (at(top + 1, left) * (1 - right) + at(top + 1, left + 1) * right) * down
  })
}

interface Literal {
  readonly layer: TinyLayer
  readonly index: number
  readonly corners?: boolean
  readonly filling?: ArrayLike<number>
  readonly weigh?: (scores: readonly number[], hidden: number) => readonly number[]
}

/** Equations 5 to 8 by the letter. */
function literalScoreCam({
  layer,
  index,
  corners = false,
  filling = new Array<number>(108).fill(0),
  weigh = softmax,
}: Literal): number[] {
  // prettier-ignore
  const model = new TinyCnn()
  const picture = tinyFeed().data
  const score = (feed: ArrayLike<number>): number => model.forward(feed)['logits']?.[index] ?? NaN
  const [channels, side] = TINY_SHAPES[layer]
  const area = side * side
  const values = model.forward(picture)[layer] ?? []
  const scores = Array.from({ length: channels }, (_, k) => {
    const cells = values.slice(k * area, (k + 1) * area)
    const mask = corners ? byCorners(cells, side) : [...upsampleBilinear(float32(cells, [side, side]), SIDE, SIDE).data]
    const [least, most] = [Math.min(...mask), Math.max(...mask)]
    const seen = Array.from(picture, (one, at) => {
      const share = most > least ? ((mask[at % 36] ?? NaN) - least) / (most - least) : 0
      return share * one + (1 - share) * (filling[at] ?? NaN)
    })
    return score(seen)
  })
  const weights = weigh(scores, score(filling))
  return Array.from({ length: area }, (_, i) =>
    weights.reduce((sum, weight, k) => sum + weight * (values[k * area + i] ?? NaN), 0),
  )
}

function expectMap(map: ArrayLike<number>, expected: readonly number[]): void {
  expect(map.length).toBe(expected.length)
  expected.forEach((value, at) => expect(map[at]).toBeCloseTo(value, 4))
}

describe('score-cam', () => {
  it.each(TINY_CASES)('equals the paper by the letter at $layer for class $index', async ({ layer, index }) => {
    const { map } = await runImageMethod(scoreCam, new TinyCnn(), { index, params: { layer } })
    expectMap(map.data, literalScoreCam({ layer, index }))
  })

  it('pytorch-grad-cam enlarges by the corners', async () => {
    const params = { layer: 'pool1', dialect: 'pytorch-grad-cam', weights: 'increase' }
    const { map } = await runImageMethod(scoreCam, new TinyCnn(), { params })
    const weigh = (scores: readonly number[], hidden: number): number[] => scores.map((one) => one - hidden)
    const expected = literalScoreCam({ layer: 'pool1', index: 0, corners: true, weigh })
    expectMap(map.data, expected)
    const other = literalScoreCam({ layer: 'pool1', index: 0, weigh })
    expect(Math.max(...expected.map((one, at) => Math.abs(one - (other[at] ?? NaN))))).toBeGreaterThan(1e-3)
  })

  it('weighs by what a channel adds to the score of the baseline, where asked', async () => {
    const { map } = await runImageMethod(scoreCam, new TinyCnn(), { params: { layer: 'pool1', weights: 'increase' } })
    const weigh = (scores: readonly number[], hidden: number): number[] => scores.map((one) => one - hidden)
    expectMap(map.data, literalScoreCam({ layer: 'pool1', index: 0, weigh }))
  })

  it.each(['black', 'blurred'])('a mask hides the picture behind a %s one', async (baseline) => {
    const { units, picture } = await imageContext(new TinyCnn(), { of: scoreCam, params: {} })
    const filling = (baseline === 'black' ? units.colour([0, 0, 0]) : units.blurred(picture, 6 / 20)).data
    for (const weights of ['softmax', 'increase'] as const) {
      const { map } = await runImageMethod(scoreCam, new TinyCnn(), { params: { layer: 'pool1', baseline, weights } })
      const weigh = (scores: readonly number[], hidden: number): readonly number[] =>
        weights === 'softmax' ? softmax(scores) : scores.map((one) => one - hidden)
      expectMap(map.data, literalScoreCam({ layer: 'pool1', index: 0, filling, weigh }))
    }
  })

  it('needs no gradient, and costs a pass a channel', async () => {
    const model = new TinyCnn({ undifferentiable: { relu2: 'nothing here has a gradient' } })
    await runImageMethod(scoreCam, model)
    expect(model.asked.every(({ gradient }) => gradient === undefined)).toBe(true)
    const tap = model.taps.find(({ id }) => id === 'relu2') ?? null
    expect(scoreCam.cost(scoreCam.params.parse({}), { tap, classes: 3, tokens: 0, pixels: 36 })).toBe(6)
  })
})
