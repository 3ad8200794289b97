/** The logit of a class, asked for without a run around it: nobody watches, nobody cancels. */
import type { ExplainableModel } from '../../lib/engine/model.ts'
import type { Explaining } from '../../lib/methods/shared/made-rows.ts'
import { classTarget } from '../../lib/target/target.ts'

/** @param classes as the graph says it where left out */
export function explaining(model: ExplainableModel, index: number, classes = classesOf(model)): Explaining {
  return {
    model,
    signal: new AbortController().signal,
    progress: () => undefined,
    head: { logits: model.logits, classes, link: 'softmax' },
    target: classTarget(index),
  }
}

function classesOf(model: ExplainableModel): number {
  return model.taps.find((tap) => tap.id === model.logits)?.shape.at(-1) ?? 0
}
