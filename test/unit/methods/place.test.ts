/** Where a method can be asked, and if nowhere, why: settled before a run is accepted. */
import { describe, expect, test } from 'vitest'
import type { Tap } from '../../../lib/engine/model.ts'
import { cam } from '../../../lib/methods/image/cam.ts'
import { gradCam } from '../../../lib/methods/image/grad-cam.ts'
import type { Need, NeedsPlace } from '../../../lib/methods/need.ts'
import { layersFor, placeFor, whyUnavailable } from '../../../lib/methods/place.ts'
import { integratedGradients } from '../../../lib/methods/text/integrated-gradients.ts'
import { factsOf, type ModelFacts } from '../../../lib/models/facts.ts'
import { AS_IT_IS } from '../../helpers/image-context.ts'
import { TinyCnn } from '../../helpers/tiny-cnn.ts'

const reason = 'No gradient rule for Hardmax between it and the output.'
const spatial = ['input', 'conv1', 'relu1', 'pool1', 'conv2', 'relu2']
const lacking = (taps: readonly string[]): Record<string, string> =>
  Object.fromEntries(taps.map((tap) => [tap, reason]))
const facts = (model: TinyCnn): Promise<ModelFacts> => factsOf(model, { title: 'Tiny', preprocessing: AS_IT_IS })

describe('a CAM made of a gradient', () => {
  test('is available where one layer with a height and width has one, whatever the default layer is', async () => {
    const model = await facts(new TinyCnn({ defaultTap: 'conv1', undifferentiable: lacking(spatial.slice(0, -1)) }))
    expect(whyUnavailable(gradCam, model)).toBeNull()
    expect(placeFor(gradCam, null, model)?.id).toBe('relu2')
    expect(layersFor(gradCam, model).map(({ id }) => id)).toEqual(['relu2'])
  })
  test('is not where none has, though a vector behind them does: the reason names the operators', async () => {
    const model = await facts(new TinyCnn({ defaultTap: 'gap', undifferentiable: lacking(spatial) }))
    expect(whyUnavailable(gradCam, model)).toBe(reason)
    expect(() => placeFor(gradCam, 'relu2', model)).toThrow(`Grad-CAM cannot explain Tiny. ${reason}`)
  })
  test('a layer without a gradient: its reason is one sentence among others', async () => {
    const model = await facts(
      new TinyCnn({ undifferentiable: { conv1: 'The output does not depend on it smoothly.' } }),
    )
    expect(() => placeFor(gradCam, 'conv1', model)).toThrow(
      /"conv1": The output does not depend on it smoothly\. Layers Grad-CAM can use/,
    )
  })
  test('a card that names the default layer does not make it the place of a method that cannot be asked there', async () => {
    const model = await facts(new TinyCnn({ defaultTap: 'gap' }))
    expect(placeFor(gradCam, null, model)?.id).toBe('relu2')
  })
})

test('CAM is asked in front of the pooling alone', async () => {
  const model = await facts(new TinyCnn())
  expect(layersFor(cam, model).map(({ id }) => id)).toEqual(['relu2'])
  expect(whyUnavailable(cam, await facts(new TinyCnn({ linearHead: false })))).toMatch(/global average pooling/)
})

test('a method for texts says what the model reads', async () => {
  expect(whyUnavailable(integratedGradients, await facts(new TinyCnn()))).toBe(
    'Integrated gradients explains text models, and this one reads pictures.',
  )
})

describe('every place', () => {
  const tap = (id: string, more: Partial<Tap>): Tap => ({
    id,
    label: id,
    kind: 'other',
    operator: '',
    shape: [],
    spatial: false,
    differentiable: true,
    ...more,
  })
  const model: ModelFacts = {
    title: 'All kinds',
    modality: 'image',
    defaultTap: 'other',
    link: 'softmax',
    linearHeads: ['map'],
    ruleSets: ['plain', 'guided-relu'],
    refusals: [],
    taps: [
      tap('pixels', { kind: 'input', spatial: true }),
      tap('words', { kind: 'embedding' }),
      tap('map', { kind: 'conv', spatial: true }),
      tap('patches', { grid: { rows: 2, columns: 2, leading: 1 } }),
      tap('weights', { kind: 'attention', looksAt: 'self' }),
      tap('windows', { kind: 'attention', looksAt: 'local' }),
      tap('another', { kind: 'attention', looksAt: 'cross' }),
      tap('mixed', { kind: 'attention', operator: 'MatMul' }),
      tap('other', {}),
    ],
  }
  const asked = (...needs: Need[]): NeedsPlace => ({ id: 'toy', title: 'Toy', modality: 'image', needs })

  test.each([
    ['input', ['pixels']],
    ['spatial-tap', ['pixels', 'map']],
    ['linear-head', ['map']],
    ['embedding', ['words']],
    ['token-grid', ['patches']],
    ['attention', ['weights']],
  ] as const)('%s: %s', (place, ids) => {
    expect(layersFor(asked({ place }), model).map(({ id }) => id)).toEqual(ids)
    expect(placeFor(asked({ place }), null, model)?.id).toBe(ids.at(-1))
    const without = { ...model, taps: [tap('other', {})], linearHeads: [] }
    expect(whyUnavailable(asked({ place }), without)).toMatch(/^It needs .* none\.|.* does not\. /)
    expect(() => placeFor(asked({ place }), 'other', model)).toThrow(/Toy cannot be asked at the layer "other": its? /)
  })

  test('rules that the model refuses at a layer: it is none of the method’s, and the sentence is that of asking', () => {
    const operators = ['Softmax (it has no rule; at attention)']
    const refusing: ModelFacts = {
      ...model,
      refusals: [{ rules: 'guided-relu', taps: ['pixels', 'words'], operators }],
    }
    const sentence = (layer: string): string =>
      `No gradient rule for ${operators.join()}, on the way from ${layer} to the output. Choose a layer behind it, or a method without gradients.`
    const maps = asked({ place: 'spatial-tap', rules: 'guided-relu' })
    expect(layersFor(maps, refusing).map(({ id }) => id)).toEqual(['map'])
    expect(() => placeFor(maps, 'pixels', refusing)).toThrow(`at the layer "pixels": ${sentence('pixels')}`)
    expect(whyUnavailable(asked({ place: 'embedding', rules: 'guided-relu' }), refusing)).toBe(sentence('words'))
    expect(whyUnavailable(asked({ place: 'embedding', rules: 'plain' }), refusing)).toBeNull()
    expect(whyUnavailable(asked({ place: 'embedding', gradient: true }), refusing)).toBeNull()
    const later = asked({ place: 'spatial-tap' }, { place: 'embedding', rules: 'guided-relu' })
    expect(whyUnavailable(later, refusing)).toBe(sentence('words'))
  })

  test('words that no gradient reaches are not made up for by another table', () => {
    const words = tap('words', { kind: 'embedding', differentiable: false, reason: 'It is rounded.' })
    const text: ModelFacts = { ...model, defaultTap: 'words', taps: [words, tap('types', { kind: 'embedding' })] }
    expect(placeFor(asked({ place: 'embedding' }), null, text)?.id).toBe('words')
    const toy = asked({ place: 'embedding', gradient: true })
    expect(() => placeFor(toy, null, text)).toThrow(/Toy cannot be asked at the layer "words": It is rounded/)
    expect(placeFor(toy, 'types', text)?.id).toBe('types')
  })

  test('the first need is where a method is asked; the others must be met somewhere', () => {
    const guided = asked({ place: 'spatial-tap', gradient: true }, { place: 'token-grid' })
    expect(placeFor(guided, null, model)?.id).toBe('map')
    expect(whyUnavailable(guided, { ...model, taps: model.taps.filter(({ id }) => id !== 'patches') })).toMatch(/grid/)
  })

  test('backward rules that the engine has not', () => {
    expect(whyUnavailable(asked({ place: 'input', rules: 'guided-relu' }), model)).toBeNull()
    expect(whyUnavailable(asked({ place: 'input', rules: 'lrp' }), model)).toMatch(/"lrp".*has plain, guided-relu/)
  })

  test('a method that needs nothing of the model has no place', () => {
    expect(placeFor(asked(), null, model)).toBeNull()
    expect(layersFor(asked(), model)).toEqual([])
  })
})
