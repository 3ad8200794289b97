/** A sentence about a result that its reader must know. Never an exception: the result stands. */
export interface Diagnosis {
  readonly code:
    | 'ALL_NEGATIVE' // no evidence for this class anywhere on the map
    | 'ZERO_GRADIENT'
    | 'CONSTANT_MAP'
    | 'CANCELLING_CHANNELS' // a weight that divides by a sum which is none: channels were left out
    | 'SIGN_ORIENTED' // a principal component's sign was chosen, and how surely
    | 'NON_POSITIVE_SCORE' // a share of a score that is not positive
    | 'CONCEPTS' // how important each is, and how much of the layer they rebuild
    | 'NO_BIASES' // the model, or its engine, shows none
    | 'SOFTMAX_SATURATED' // probability ~ 0 or 1; the logit is used
    | 'SIGMOID_SATURATED' // the same, where each class has a probability for itself
    | 'COMPLETENESS' // completeness error above the bound
    | 'CLASSIFYING_TOKEN' // whose attention was followed back: [CLS], the last token, or all
    | 'SAME_AS_BASELINE' // nothing lies between the input and what it is compared with
    | 'NOT_RECTIFIED' // activations that bent rules of rectifiers leave as they are
    | 'SURROGATE_MISFIT' // a linear model (LIME) says little of how the score varies
    | 'BUDGET_SPENT' // the predictions allowed ended before the method did; what was left coarse
    | 'INPUT_TRUNCATED'
    | 'INPUT_CONVERTED' // animated, CMYK, 16-bit or transparent picture: what was done
    | 'UNKNOWN_TOKENS' // the tokenizer knows no word for some characters
    | 'METRIC_UNDEFINED' // a metric has no value for this attribution
    | 'ENGINE' // which backend and why, where that is a surprise
  readonly severity: 'info' | 'warning'
  readonly message: string
}
