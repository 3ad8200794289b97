/** A perfect explanation is better than the same turned over, in the direction that each metric says. */
import { describe, expect, it, test } from 'vitest'
import { methodFor } from '../../../lib/methods/find.ts'
import { parseParams } from '../../../lib/methods/parse-params.ts'
import { METRICS } from '../../../lib/metrics/index.ts'
import type { ImageJudged, ImageMetric, MetricResult, TextJudged, TextMetric } from '../../../lib/metrics/metric.ts'
import { float32, type FloatTensor } from '../../../lib/tensor/tensor.ts'
import { dot, fakeContext, fakeModel, U, wordOf } from '../methods/text/fake-model.ts'
import {
  IDS,
  INSIDE,
  judgedImage,
  judgedText,
  PICTURE,
  pictureAttribution,
  SIDE,
  SPANS,
} from '../../helpers/metric-cases.ts'

const turned = ({ data, dims }: FloatTensor): FloatTensor =>
  float32(
    data.map((value) => -value),
    dims,
  )
const still = (attribution: FloatTensor) => ({ attribution, again: () => Promise.resolve(attribution) })

function imageMetric(id: string): ImageMetric {
  const metric = methodFor(METRICS, 'image', id)
  if (metric?.modality !== 'image') throw new Error(`there is no ${id}`)
  return metric
}
function textMetric(id: string): TextMetric {
  const metric = methodFor(METRICS, 'text', id)
  if (metric?.modality !== 'text') throw new Error(`there is no ${id}`)
  return metric
}
async function ofImage(id: string, judged: Partial<ImageJudged>, params: object = {}): Promise<MetricResult> {
  const metric = imageMetric(id)
  return metric.run(await judgedImage(metric, judged), parseParams(metric, params))
}
async function ofText(id: string, judged: Partial<TextJudged>, params: object = {}): Promise<MetricResult> {
  const metric = textMetric(id)
  return metric.run(judgedText(metric, judged), parseParams(metric, params))
}
function expectBetter({ better }: ImageMetric | TextMetric, good: MetricResult, bad: MetricResult): void {
  const [one, other] = better === 'higher' ? [good, bad] : [bad, good]
  expect(one.value ?? NaN).toBeGreaterThan(other.value ?? NaN)
}

const map = pictureAttribution(PICTURE)
const onMark = float32(
  Array.from(INSIDE, (inside, pixel) => (inside === 1 ? 1 : -1) + 1e-3 * Math.sin(pixel)),
  [SIDE, SIDE],
)
const point = float32(
  Array.from({ length: SIDE ** 2 }, (_, pixel) => (pixel === 7 ? 1 : 0)),
  [SIDE, SIDE],
)
const flat = float32(new Float32Array(SIDE ** 2).fill(1), [SIDE, SIDE])

describe('pictures', () => {
  it.each([
    ['deletion', {}],
    ['insertion', {}],
    ['insertion', { dialect: 'xplique' }],
    ['average-drop', {}],
    ['increase', {}],
    ['average-gain', {}],
    ['road-most', {}],
    ['road-least', {}],
    ['road-combined', {}],
    ['sensitivity-n', {}],
    ['faithfulness-correlation', {}],
    ['infidelity', { scale: 'none' }],
    ['completeness-error', { baseline: 'zero' }],
  ] as const)('%s %o', async (id, params) => {
    const judge = (attribution: FloatTensor) => ofImage(id, { attribution }, params)
    expectBetter(imageMetric(id), await judge(map), await judge(turned(map)))
  })

  it.each([
    ['pointing-game', { dialect: 'quantus' }],
    ['energy-inside', {}],
    ['iou', {}],
    ['iou', { at: 'fixed' }],
    ['top-k-intersection', { k: 9 }],
  ] as const)('%s %o against a mark', async (id, params) => {
    const judge = (attribution: FloatTensor) => ofImage(id, { attribution }, params)
    const good = await judge(onMark)
    expect(good.value).toBe(1)
    expectBetter(imageMetric(id), good, await judge(turned(onMark)))
  })

  it.each([
    ['energy-inside', {}],
    ['iou', {}],
    ['top-k-intersection', { k: 9 }],
  ] as const)('%s: a boundary that nobody decided counts as neither', async (id, params) => {
    // Of what lies outside, all but one pixel is undecided; the map likes the undecided best.
    const inside = INSIDE.map((one, pixel) => (one === 1 ? 1 : pixel === 0 ? 0 : 2))
    const attribution = float32(
      Array.from(inside, (one) => (one === 2 ? 2 : one === 1 ? 1 : 1e-9)),
      [SIDE, SIDE],
    )
    const marked = { kind: 'pixels', height: SIDE, width: SIDE, inside } as const
    expect((await ofImage(id, { attribution, marked }, params)).value).toBeCloseTo(1, 6)
  })

  it.each(['max-sensitivity', 'local-lipschitz', 'random-logit'])('%s: the same again, or not', async (id) => {
    const other = { attribution: map, again: () => Promise.resolve(turned(map)) }
    const [same, different] = [await ofImage(id, still(map)), await ofImage(id, other)]
    if (id === 'random-logit') expectBetter(imageMetric(id), different, same)
    else expectBetter(imageMetric(id), same, different)
  })

  it.each(['mprt', 'smooth-mprt'])('%s: lost with the weights, or kept', async (id) => {
    const kept: ImageJudged['randomised'] = (_share, work) => work(() => Promise.resolve(map))
    const stays = await ofImage(id, { ...still(map), randomised: kept })
    expect(stays.value).toBeCloseTo(1, 12)
    expectBetter(imageMetric(id), await ofImage(id, { attribution: map }), stays)
  })

  test('efficient-mprt: a point that becomes noise, or noise that becomes a point', async () => {
    const noise = float32(
      Array.from({ length: SIDE ** 2 }, (_, at) => Math.sin(7 * at)),
      [SIDE, SIDE],
    )
    const becomes = (one: FloatTensor, other: FloatTensor) =>
      ofImage('efficient-mprt', { attribution: one, randomised: (_share, work) => work(() => Promise.resolve(other)) })
    expectBetter(imageMetric('efficient-mprt'), await becomes(point, noise), await becomes(noise, point))
  })

  it.each(['entropy', 'gini'])('%s: a point, or all alike', async (id) => {
    expectBetter(imageMetric(id), await ofImage(id, { attribution: point }), await ofImage(id, { attribution: flat }))
  })
})

/** Words that hardly touch the second class's score, so that the first one's is the sum of what each word gives it. */
const APART = [101, 8, 25, 18, 8, 25, 35, 8, 25, 15, 102]
const given = float32(
  APART.map((id, at) => (at % 10 === 0 ? 0 : Math.tanh(dot(U, wordOf(id))))),
  [APART.length],
)

const marked = float32(
  IDS.map((_, at) => (SPANS.flat().includes(at) ? 1 : -1) + 1e-3 * Math.sin(at)),
  [IDS.length],
)

describe('texts', () => {
  it.each([
    ['comprehensiveness', {}],
    ['comprehensiveness', { dialect: 'ferret' }],
    ['sufficiency', {}],
    ['sufficiency', { dialect: 'ferret' }],
    ['soft-comprehensiveness', {}],
    ['soft-sufficiency', {}],
    ['tau-loo', {}],
    ['log-odds', { replacement: 'mask' }],
  ] as const)('%s %o', async (id, params) => {
    const metric = textMetric(id)
    const judge = (attribution: FloatTensor) =>
      metric.run({ ...judgedText(metric, { attribution }), ...fakeContext(fakeModel(), { ids: APART, of: metric }) }, parseParams(metric, params)) // prettier-ignore
    expectBetter(metric, await judge(given), await judge(turned(given)))
  })

  it.each([
    ['auprc', {}],
    ['token-f1', {}],
    ['iou-f1', {}],
    ['iou-f1', { dialect: 'ferret' }],
  ] as const)('%s %o against a mark', async (id, params) => {
    const good = await ofText(id, { attribution: marked }, params)
    expect(good.value).toBe(1)
    expectBetter(textMetric(id), good, await ofText(id, { attribution: turned(marked) }, params))
  })

  it.each(['max-sensitivity', 'local-lipschitz', 'random-logit'])('%s: the same again, or not', async (id) => {
    const other = { attribution: marked, again: () => Promise.resolve(turned(marked)) }
    const [same, different] = [await ofText(id, still(marked)), await ofText(id, other)]
    if (id === 'random-logit') expectBetter(textMetric(id), different, same)
    else expectBetter(textMetric(id), same, different)
  })

  test('completeness-error: of a sum that is right, and of one that is not', async () => {
    const metric = textMetric('completeness-error')
    const judged = judgedText(metric)
    const right = await ofText('completeness-error', {}, { baseline: 'zero' })
    const twice = { ...judged.attribution, data: judged.attribution.data.map((value) => -value) }
    expectBetter(metric, right, await ofText('completeness-error', { attribution: twice }, { baseline: 'zero' }))
  })

  it.each(['entropy', 'gini'])('%s: a point, or all alike', async (id) => {
    const one = float32(
      IDS.map((_, at) => (at === 4 ? 1 : 0)),
      [IDS.length],
    )
    const alike = float32(new Float32Array(IDS.length).fill(1), [IDS.length])
    expectBetter(textMetric(id), await ofText(id, { attribution: one }), await ofText(id, { attribution: alike }))
  })
})

describe('ties are broken by position', () => {
  test('of pixels: a map that is the same everywhere takes them row by row', async () => {
    const rising = float32(
      Array.from({ length: SIDE ** 2 }, (_, pixel) => -pixel),
      [SIDE, SIDE],
    )
    for (const id of ['deletion', 'insertion', 'road-most'])
      expect((await ofImage(id, { attribution: flat })).curve).toEqual(
        (await ofImage(id, { attribution: rising })).curve,
      )
    // ROAD's other way is the same order from its end.
    expect((await ofImage('road-least', { attribution: flat })).curve).toEqual(
      (await ofImage('road-least', { attribution: rising })).curve,
    )
  })

  test('of tokens, in the order of the text', async () => {
    const alike = float32(new Float32Array(IDS.length).fill(2), [IDS.length])
    const falling = float32(
      IDS.map((_, at) => -at),
      [IDS.length],
    )
    for (const id of ['comprehensiveness', 'sufficiency'])
      expect((await ofText(id, { attribution: alike })).curve).toEqual(
        (await ofText(id, { attribution: falling })).curve,
      )
  })
})

describe('where there is no value, a diagnosis says why', () => {
  const zero = float32(new Float32Array(SIDE ** 2), [SIDE, SIDE])
  it.each([
    ['energy-inside', turned(flat)],
    ['iou', zero],
    ['entropy', zero],
    ['gini', zero],
    ['max-sensitivity', zero],
    ['faithfulness-correlation', zero],
    ['sensitivity-n', zero],
    ['random-logit', flat],
  ] as const)('%s', async (id, attribution) => {
    const { value, diagnoses } = await ofImage(id, { attribution })
    expect(value).toBeNull()
    expect(diagnoses).toMatchObject([{ code: 'METRIC_UNDEFINED', severity: 'warning' }])
    expect(diagnoses[0]?.message.length).toBeGreaterThan(20)
  })

  test('tau-loo of equal scores', async () => {
    const alike = float32(new Float32Array(IDS.length), [IDS.length])
    expect((await ofText('tau-loo', { attribution: alike })).value).toBeNull()
  })
})
