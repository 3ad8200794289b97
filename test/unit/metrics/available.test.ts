import { expect, test } from 'vitest'
import { checkMetric, whyNoMetric } from '../../../lib/metrics/available.ts'
import { deletion } from '../../../lib/metrics/image/deletion.ts'
import { mprt } from '../../../lib/metrics/image/mprt.ts'
import { comprehensiveness } from '../../../lib/metrics/text/comprehensiveness.ts'
import { softSufficiency } from '../../../lib/metrics/text/soft-sufficiency.ts'
import { judgedImage, judgedText } from '../../helpers/metric-cases.ts'

test('where a metric can be asked, and why not', async () => {
  const { facts } = await judgedImage(deletion)
  expect(whyNoMetric(mprt, { facts, engine: { name: 'onnx' } })).toBeNull()
  expect(whyNoMetric(mprt, { facts, engine: { name: 'tfjs' } })).toMatch(/other weights/)
  expect(whyNoMetric(deletion, { facts, engine: { name: 'tfjs' } })).toBeNull()
  expect(whyNoMetric(comprehensiveness, { facts, engine: { name: 'onnx' } })).toMatch(/reads pictures/)
  const text = judgedText(comprehensiveness)
  const wordless = { ...text.facts, taps: [], defaultTap: 'none' }
  expect(whyNoMetric(comprehensiveness, { facts: wordless, engine: { name: 'onnx' } })).toBeNull()
  expect(whyNoMetric(softSufficiency, { facts: wordless, engine: { name: 'onnx' } })).toMatch(/embedding layer/)
  expect(() => checkMetric(mprt, { facts, engine: { name: 'tfjs' } })).toThrow(/Parameter randomisation cannot judge/)
})
