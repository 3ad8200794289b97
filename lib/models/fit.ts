/** Whether a network takes what its card says it is fed: looked at when it is loaded, and said in the card's own words. */
import type { ExplainableModel } from '../engine/model.ts'
import { AppError } from '../errors.ts'
import { listed, quoted } from '../suggest.ts'
import type { ModelCard } from './card.ts'

function misfit(found: string): AppError {
  return new AppError({ code: 'BAD_MODEL', message: found, userMessage: found })
}

/**
 * @throws AppError BAD_MODEL for a model of pictures that takes something else beside one, a picture of another size than its
 *   card states, or one of neither 1 nor 3 channels
 */
export function checkFit(model: ExplainableModel, { preprocessing }: Pick<ModelCard, 'preprocessing'>): void {
  if (preprocessing.kind !== 'image') return
  const [input = '', ...others] = model.inputs.toSorted((a, b) => ranked(model, b) - ranked(model, a))
  if (others.length > 0)
    throw misfit(
      `It takes ${listed(model.inputs.map(quoted))}. A model of pictures is fed one picture, and nothing can be given for ${listed(others.map(quoted))}. Export it with ${others.length === 1 ? 'a fixed value for that' : 'fixed values for those'}.`,
    )
  const shape = model.taps.find((tap) => tap.id === input)?.shape
  if (shape === undefined) return
  if (shape.length !== 4)
    throw misfit(
      `Its input ${quoted(input)} has ${shape.length} axes, [${shape.map((one) => one ?? '?').join(', ')}], and a picture has four. Is the card's task or preprocessing.kind right?`,
    )
  const [, channels = null, height = null, width = null] = shape
  if (channels !== null && channels !== 1 && channels !== 3)
    throw misfit(
      `Its input ${quoted(input)} has ${channels} channels. Limelight feeds pictures of 3 (red, green, blue) or 1 (grey); transparency and further bands cannot be given.`,
    )
  for (const [field, stated, own] of [
    ['width', preprocessing.width, width],
    ['height', preprocessing.height, height],
  ] as const)
    if (own !== null && own !== stated)
      throw misfit(
        `The card's preprocessing.${field} is ${stated}, and the input ${quoted(input)} takes a ${field} of ${own}. Write ${own} into card.json.`,
      )
}

/** A picture has more axes than what stands beside it. */
function ranked(model: ExplainableModel, input: string): number {
  return model.taps.find((tap) => tap.id === input)?.shape.length ?? 0
}
