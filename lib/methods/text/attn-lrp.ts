/** AttnLRP: layer-wise relevance propagation with rules for attention. Letters: T tokens, E embedding size. */
import { z } from 'zod'
import { gradientMethod } from './shared/gradient-method.ts'
import { PATENTS } from './shared/patents.ts'
import { product } from './shared/product.ts'
import { scalarParam } from './shared/scalar-param.ts'

const params = z.strictObject({ scalar: scalarParam })

export const attnLrp = gradientMethod<z.infer<typeof params>>({
  id: 'attn-lrp',
  version: 1,
  title: 'AttnLRP',
  summary:
    'What each token hands on to the score of the class, followed back through attention, normalisation and activations by rules made for transformers. One pass.',
  meaning:
    'The score of the class is handed back layer by layer, as relevance, to what made it: in proportion through sums and linear layers, half to each factor of a product, past normalisations and activations unchanged, and through the softmax by its first-order expansion, so that queries and keys get relevance too. A token\u2019s score is the relevance that arrives at its word vector: positive speaks for the class, in the unit of the score. Position and segment embeddings and biases keep their own shares, which are not shown.',
  misleads: `Relevance is conserved but for what biases keep, the softmax\u2019s own offset among them, so the scores need not add up to the score; large models with strong biases lose much. The rules are choices, each reasonable alone; tests that randomise the model find LRP less sensitive to late layers than gradients. On models with operators that the rules do not know it is refused, not approximated. ${PATENTS}`,
  paper: {
    title: 'AttnLRP: Attention-Aware Layer-Wise Relevance Propagation for Transformers',
    authors: 'Achtibat, Hatefi, Dreyer, Jain, Wiegand, Lapuschkin, Samek',
    year: 2024,
    url: 'https://arxiv.org/abs/2402.05602',
  },
  params,
  rules: { id: 'attn-lrp' },
  signed: true,
  wordReduction: 'sum',
  score: product,
})
