/** Where explanations of pets-cnn look: at the pet, or beside it. */
import { decodeImage, type DecodedImage } from '../../lib/image/decode.ts'
import type { Evaluation } from '../../lib/evaluate.ts'
import { float32, type FloatTensor } from '../../lib/tensor/tensor.ts'
import { outlinedPets, type OutlinedPet } from '../datasets/annotated.ts'
import type { Values } from './figures.ts'
import { anyMethod, attributionOf, exampleOf, judge, metricOf, type Question } from './judged.ts'
import { qualityPart, type Asking } from './part.ts'

interface DecodedPet extends OutlinedPet {
  readonly image: DecodedImage
}

const energy = metricOf('image', 'energy-inside')

function questions({ pet, petAndBoundary }: OutlinedPet, randomControls = 0): readonly Question[] {
  return [
    // Exactly on the pet, no pixel beside it.
    { metric: metricOf('image', 'pointing-game'), params: { dialect: 'quantus' }, marks: pet, randomControls },
    { metric: energy, marks: pet, randomControls },
    { metric: energy, marks: petAndBoundary, randomControls },
  ]
}

/** The share inside where the boundary, which is neither pet nor background, counts for nothing. */
export function withoutBoundary(pet: number, petAndBoundary: number): number | null {
  const counted = pet + (1 - petAndBoundary)
  return counted > 0 ? pet / counted : null
}

type Value = Pick<Evaluation, 'value'> | undefined
function valuesOf([pointing, pet, petAndBoundary]: readonly Value[]): Values {
  const [inside, outlined] = [pet?.value ?? null, petAndBoundary?.value ?? null]
  return {
    pointing: pointing?.value ?? null,
    energy: inside,
    'energy-without-boundary': inside === null || outlined === null ? null : withoutBoundary(inside, outlined),
  }
}

function exampleFor(asking: Asking, { image, label }: DecodedPet) {
  return exampleOf(asking.loaded, { kind: 'image', image }, label)
}

/** One pixel in the middle of what the model is fed. */
function centreOf({ loaded }: Asking): FloatTensor {
  const { preprocessing } = loaded.entry.card
  const { width, height } = preprocessing.kind === 'image' ? preprocessing : { width: 1, height: 1 }
  const map = new Float32Array(height * width)
  map[Math.floor(height / 2) * width + Math.floor(width / 2)] = 1
  return float32(map, [height, width])
}

async function decoded(pets: AsyncGenerator<OutlinedPet>): Promise<DecodedPet[]> {
  const all: DecodedPet[] = []
  for await (const pet of pets) all.push({ ...pet, image: await decodeImage(pet.bytes) })
  return all
}

export const pets = qualityPart<DecodedPet>({
  part: 'pets',
  model: 'pets-cnn',
  file: 'pets-masks.tar',
  most: 302,
  budget: 30_000,
  repeats: 0,
  samples: (data) => decoded(outlinedPets(data)),
  async judge(pet, method, asking) {
    const example = exampleFor(asking, pet)
    const attribution = await attributionOf(asking.loaded, example, method, asking.seed)
    const by = { method, seed: asking.seed }
    return valuesOf(
      await Promise.all(questions(pet).map((question) => judge(asking.loaded, example, attribution, by, question))),
    )
  },
  async controls(pet, asking) {
    const by = { method: anyMethod('image'), seed: asking.seed }
    const judged = await Promise.all(
      questions(pet, 5).map((question) =>
        judge(asking.loaded, exampleFor(asking, pet), centreOf(asking), by, question),
      ),
    )
    const control = (id: string): Values =>
      valuesOf(judged.map(({ controls }) => controls.find((one) => one.id === id)))
    return { centre: valuesOf(judged), edges: control('edges'), random: control('random'), uniform: control('uniform') }
  },
})

/** How alike the map stays when half of the layers, from the output on, and all of them, have random weights. */
export const sanityPictures = qualityPart<DecodedPet>({
  part: 'sanity-pictures',
  model: 'pets-cnn',
  file: 'pets-masks.tar',
  most: 6,
  budget: 6_000,
  repeats: 2,
  samples: (data) => decoded(outlinedPets(data)),
  async judge(pet, method, asking) {
    const example = exampleFor(asking, pet)
    const attribution = await attributionOf(asking.loaded, example, method, asking.seed)
    const by = { method, seed: asking.seed }
    const question = { metric: metricOf('image', 'mprt'), params: { steps: 2 } }
    const { curve } = await judge(asking.loaded, example, attribution, by, question)
    return { 'half-random': curve?.value[0] ?? null, 'all-random': curve?.value[1] ?? null }
  },
  controls: () => Promise.resolve({}),
})
