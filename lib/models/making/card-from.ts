/**
 * Makes a model's card from the files that come with it on the Hugging Face hub. Pure: files in, card and guesses out.
 * What no file states is left at a sensible value and named among the guesses.
 */
import type { z } from 'zod'
import { modelCard, oneLine, PROBLEM_TYPES } from '../card.ts'
import { labelsOf, modalityOf, readConfig, type HubConfig } from './hub-config.ts'
import { imagePreprocessing } from './image-card.ts'
import { notForLimelight, type CardSources, type Guess, type MadeCard } from './sources.ts'
import { textPreprocessing } from './text-card.ts'

function architectureOf({ architectures, architecture, model_type: family }: HubConfig): string {
  return architectures?.join(', ') ?? architecture ?? family ?? 'unknown'
}

/** The kind of problem, where it is one that a card knows: it says what makes probabilities where the graph does not. */
function problemOf({ problem_type: type }: HubConfig): Pick<z.input<typeof modelCard>, 'problemType'> {
  const known = PROBLEM_TYPES.find((one) => one === type)
  return known === undefined ? {} : { problemType: known }
}

/** @throws AppError BAD_MODEL, in words, for a model that is no classifier, or of which too little is known */
export function cardFrom(sources: CardSources): MadeCard {
  const guesses: Guess[] = []
  const config = readConfig(sources.config)
  const modality = modalityOf(config, sources, guesses)
  const preprocessing =
    modality === 'image' ? imagePreprocessing(config, sources, guesses) : textPreprocessing(config, sources, guesses)
  const labels = labelsOf(config, sources, guesses)
  const read = modelCard.safeParse({
    id: sources.id,
    title: sources.title,
    summary: `Imported from ${sources.source}.`,
    task: `${modality}-classification`,
    labels,
    ...problemOf(config),
    files: { onnx: sources.onnx, ...(modality === 'text' && sources.tokenizer !== null ? { tokenizer: sources.tokenizer } : {}) },
    preprocessing,
    license: sources.license ?? 'unknown',
    provenance: { architecture: architectureOf(config), data: 'unknown', recipe: sources.source, seed: 0 },
    extra: { guesses, ...(typeof config.problem_type === 'string' ? { problemType: config.problem_type } : {}) },
  } satisfies z.input<typeof modelCard>)
  if (read.success) return { card: read.data, guesses }
  throw notForLimelight(`No card can be made of this model: ${oneLine(read.error)}.`)
}
