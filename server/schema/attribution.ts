import type { Completeness } from '../../lib/methods/method.ts'
import type { ScoredSpan } from '../../lib/explain.ts'
import type { ImageDetail, TextDetail } from '../storage/stored-detail.ts'
import { answerSize } from './answer-size.ts'
import type { Builder } from './builder.ts'

export interface ImageAttributionView {
  readonly detail: ImageDetail
  readonly values: Float32Array
  /** Where the run's pictures are served: `/api/runs/<id>` or `/api/shared/<token>`. */
  readonly base: string
  /** Its place among the maps of the run. */
  readonly place: number
}
export interface TextAttributionView {
  readonly detail: TextDetail
  readonly scores: Float32Array
}

/** The first map's address is that of the run. */
const mapQuery = (place: number): string => (place === 0 ? '' : `?map=${place}`)

export function addAttribution(builder: Builder) {
  const Placement = builder.objectRef<ImageDetail['placement']>('Placement').implement({
    description: 'A rectangle of the upright picture, in fractions of its width and height.',
    fields: (t) => ({
      x: t.exposeFloat('x'),
      y: t.exposeFloat('y'),
      width: t.exposeFloat('width'),
      height: t.exposeFloat('height'),
    }),
  })
  const CompletenessRef = builder.objectRef<Completeness>('Completeness').implement({
    description: 'How well the scores add up to what they should (Sundararajan 2017, proposition 1).',
    fields: (t) => ({
      sum: t.exposeFloat('sum', { description: 'Sum of all scores.' }),
      expected: t.exposeFloat('expected', { description: 'Logit of the input minus logit of the baseline.' }),
      error: t.exposeFloat('error', { description: '|sum - expected| / |expected|' }),
      points: t.exposeInt('points', {
        description: 'Gradients evaluated, or predictions by a method that reads none.',
      }),
    }),
  })
  const ImageAttribution = builder.objectRef<ImageAttributionView>('ImageAttribution').implement({
    description: 'A map over a picture, at its own resolution.',
    isTypeOf: (value) => (value as Partial<ImageAttributionView>).detail?.kind === 'image',
    fields: (t) => ({
      width: t.int({ description: 'Extent of the map, not of the picture.', resolve: ({ detail }) => detail.width }),
      height: t.int({ resolve: ({ detail }) => detail.height }),
      values: t.floatList({
        description: 'Row-major, raw and signed: [height * width].',
        // A map of 224 × 224, one value a pixel.
        extensions: answerSize({ assumedSize: 50_176 }),
        resolve: ({ values }) => Array.from(values),
      }),
      signed: t.boolean({
        description: 'True where negative values speak against the class.',
        resolve: ({ detail }) => detail.signed,
      }),
      layer: t.string({
        nullable: true,
        description: 'The tap the map was read at; null for maps of the input.',
        resolve: ({ detail }) => detail.layer,
      }),
      placement: t.field({
        type: Placement,
        description: 'Where the map lies on the upright picture, in fractions of its width and height.',
        resolve: ({ detail }) => detail.placement,
      }),
      completeness: t.field({
        type: CompletenessRef,
        nullable: true,
        description: 'For methods whose map adds up, or would if they were asked long enough.',
        resolve: ({ detail }) => detail.completeness ?? null,
      }),
      overlayUrl: t.string({
        description:
          "PNG, relative to this server. Query parameters: colormap, opacity (0..1), rectify (true|false), view (overlay: over the picture; heat: the map alone, transparent outside its placement), size (16..2048: pixels of the longer side at most, for a thumbnail), map (which of the run's maps, from 0).",
        resolve: ({ base, place }) => `${base}/overlay.png${mapQuery(place)}`,
      }),
      npyUrl: t.string({
        description: 'NumPy .npy, float32, [height, width]; relative to this server.',
        resolve: ({ base, place }) => `${base}/attribution.npy${mapQuery(place)}`,
      }),
    }),
  })
  const Span = builder.objectRef<ScoredSpan>('Span').implement({
    description:
      "A token or a word with its score. `start` and `end` count Unicode code points of the run's text, end excluded (Python's text[start:end]). Special tokens have start = end.",
    fields: (t) => ({
      text: t.exposeString('text'),
      start: t.exposeInt('start'),
      end: t.exposeInt('end'),
      score: t.exposeFloat('score'),
      special: t.exposeBoolean('special', { description: 'True for tokens that stand for no text, such as [CLS].' }),
    }),
  })
  const TextAttribution = builder.objectRef<TextAttributionView>('TextAttribution').implement({
    description: 'A score for every token and every word of a text.',
    isTypeOf: (value) => (value as Partial<TextAttributionView>).detail?.kind === 'text',
    fields: (t) => ({
      tokens: t.field({
        type: [Span],
        extensions: answerSize({ assumedSize: 512 }),
        resolve: ({ detail, scores }) => detail.tokens.map((token, index) => ({ ...token, score: scores[index] ?? 0 })),
      }),
      words: t.field({
        type: [Span],
        extensions: answerSize({ assumedSize: 512 }),
        resolve: ({ detail }) => [...detail.words],
      }),
      completeness: t.field({
        type: CompletenessRef,
        nullable: true,
        description: 'Only for methods that promise it.',
        resolve: ({ detail }) => detail.completeness,
      }),
    }),
  })
  const Attribution = builder.unionType('Attribution', {
    description: 'What speaks for and against the explained class, and where.',
    types: [ImageAttribution, TextAttribution],
  })
  return { Attribution }
}
export type AttributionTypes = ReturnType<typeof addAttribution>
