/** A text method that reads the gradient at the embedding once: one score a token, of its gradient and its embedding. */
import type { z } from 'zod'
import { gradient, value } from '../../../engine/formula.ts'
import type { TextContext } from '../../context.ts'
import { float32, type FloatTensor } from '../../../tensor/tensor.ts'
import { textMethod, type TextMethod, type TextResult } from '../../method.ts'
import { saturation, zeroGradient } from '../../shared/diagnoses.ts'
import { readOnce, tapIn, type Reading } from '../../shared/reading.ts'
import { ofTokens } from './embedding.ts'
import { withScalar, type Scalar } from './scalar-param.ts'

interface GradientMethod<P> extends Pick<
  TextMethod<P>,
  'id' | 'version' | 'title' | 'summary' | 'meaning' | 'misleads' | 'paper'
> {
  readonly params: z.ZodType<P>
  /** Left out: the gradient itself. */
  readonly rules?: { readonly id: string; readonly params?: (params: P) => Readonly<Record<string, unknown>> }
  readonly signed: boolean
  readonly wordReduction: TextResult['wordReduction']
  /** Of one token: its gradient and its embedding, each [E]. */
  readonly score: (gradient: Float32Array, embedding: Float32Array, params: P) => number
}

const none = new Float32Array()

/** Letters: T tokens, E embedding size. */
export function gradientMethod<P extends { readonly scalar: Scalar }>(method: GradientMethod<P>): TextMethod {
  const { params: schema, signed, wordReduction, score, rules, ...description } = method
  const reading = (context: TextContext, params: P): Reading => {
    const { id } = tapIn(context)
    return {
      target: withScalar(context.target, params.scalar),
      outputs: { gradient: gradient(id), embedding: value(id) }, // [N, T, E]
      ...(rules === undefined ? {} : { rules: { id: rules.id, params: rules.params?.(params) ?? {} } }),
      attribution: ({ gradient: slope, embedding }) =>
        ofTokens(
          context,
          scores(slope, embedding, (g, x) => score(g, x, params)),
        ),
    }
  }
  return textMethod<P>({
    ...description,
    modality: 'text',
    family: rules === undefined ? 'gradient' : 'relevance',
    needs: [{ place: 'embedding', gradient: true, ...(rules === undefined ? {} : { rules: rules.id }) }],
    params: schema,
    output: { kind: 'tokens', signed, complete: false },
    cost: () => 3,
    reading,
    run: (context, params) => runReading(context, reading(context, params), wordReduction),
  })
}

/**
 * The result of one reading.
 * @param of with an output `gradient`, [N, T, E]
 */
export async function runReading(
  context: TextContext,
  of: Reading,
  wordReduction: TextResult['wordReduction'],
): Promise<TextResult> {
  const { outputs, logits, target } = await readOnce(context, of)
  context.progress(1)
  return {
    kind: 'text',
    scores: of.attribution(outputs),
    wordReduction,
    logits,
    completeness: null,
    diagnoses: [
      ...zeroGradient('text', largestOf(outputs['gradient']?.data ?? none)),
      ...saturation('text', logits.data, target, context.head.link),
    ],
  }
}

/** The largest |value|. */
function largestOf(values: Float32Array): number {
  return values.reduce((most, value) => Math.max(most, Math.abs(value)), 0)
}

/** [T, E] twice -> [T] */
function scores(
  slope: FloatTensor | undefined,
  embedding: FloatTensor | undefined,
  score: (gradient: Float32Array, embedding: Float32Array) => number,
): FloatTensor {
  const [tokens = 0, size = 0] = slope?.dims ?? []
  const of = (tensor: FloatTensor | undefined, token: number): Float32Array =>
    tensor?.data.subarray(token * size, (token + 1) * size) ?? none
  return float32(
    Float32Array.from({ length: tokens }, (_, token) => score(of(slope, token), of(embedding, token))),
    [tokens],
  )
}
