import { describe, expect, test } from 'vitest'
import { attentionGradient } from '../../../../lib/methods/text/attention-gradient.ts'
import { goldens, loadTiny, onTiny, tinyContext } from '../../../helpers/tiny-transformer.ts'
import { relativeDifference } from '../../../helpers/tolerance.ts'

describe.each(['bert', 'bert-spelled'] as const)('%s', (name) => {
  test('equations 5 and 6 of the paper, as literally', async () => {
    const { scores, diagnoses } = await onTiny(attentionGradient, name)
    const expected = goldens.bert['attention-gradient']
    expect(relativeDifference(scores.data, expected)).toBeLessThan(1e-4)
    expect(diagnoses.map(({ code }) => code)).toEqual(['CLASSIFYING_TOKEN'])
  })
})

test('a model that pools over its tokens has the mean of their rows', async () => {
  const { scores } = await onTiny(attentionGradient, 'mean')
  expect(relativeDifference(scores.data, goldens.mean['attention-gradient'])).toBeLessThan(1e-4)
})

test('classes differ, and the margin is another question than the logit', async () => {
  const model = await loadTiny('bert')
  const of = async (target: number, scalar: string) =>
    (
      await attentionGradient.run(
        tinyContext(model, { of: attentionGradient, target }),
        attentionGradient.params.parse({ scalar }),
      )
    ).scores.data
  expect(await of(0, 'logit')).not.toEqual(await of(1, 'logit'))
  expect(await of(0, 'margin')).not.toEqual(await of(0, 'logit'))
  await model.dispose()
})
