/** Where explanations of pets-cnn look: at the pet, or beside it. */
import { decodeImage, type DecodedImage } from '../../lib/image/decode.ts'
import { float32, type FloatTensor } from '../../lib/tensor/tensor.ts'
import { outlinedPets, type OutlinedPet } from '../datasets/annotated.ts'
import type { Values } from './figures.ts'
import { controlJudgements, exampleOf, forgetting, judgements, metricOf, type Judged, type Question } from './judged.ts'
import { qualityPart, type Asking, type QualityPart } from './part.ts'

interface DecodedPet extends OutlinedPet {
  readonly image: DecodedImage
}

const energy = metricOf('image', 'energy-inside')

function questions({ pet, petAndBoundary }: OutlinedPet): readonly Question[] {
  return [
    // Exactly on the pet, no pixel beside it.
    { metric: metricOf('image', 'pointing-game'), params: { dialect: 'quantus' }, marks: pet },
    { metric: energy, marks: pet },
    { metric: energy, marks: petAndBoundary },
  ]
}

/** The share inside where the boundary, which is neither pet nor background, counts for nothing. */
export function withoutBoundary(pet: number, petAndBoundary: number): number | null {
  const counted = pet + (1 - petAndBoundary)
  return counted > 0 ? pet / counted : null
}

function valuesOf([pointing, pet, petAndBoundary]: readonly Judged[]): Values {
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

const ofPets: Pick<QualityPart<DecodedPet>, 'model' | 'file' | 'samples'> = {
  model: 'pets-cnn',
  file: 'pets-masks.tar',
  samples: (data) => decoded(outlinedPets(data)),
}

export const pets = qualityPart<DecodedPet>({
  ...ofPets,
  part: 'pets',
  most: 302,
  budget: 30_000,
  repeats: 0,
  async judge(pet, method, asking) {
    return valuesOf(await judgements(asking, exampleFor(asking, pet), method, questions(pet)))
  },
  async controls(pet, asking) {
    const judged = await controlJudgements(asking, exampleFor(asking, pet), centreOf(asking), questions(pet))
    const blind = ['edges', 'random', 'uniform'].map((id) => [id, valuesOf(judged.control(id))] as const)
    return { centre: valuesOf(judged.own), ...Object.fromEntries(blind) }
  },
})

export const sanityPictures = qualityPart<DecodedPet>({
  ...ofPets,
  part: 'sanity-pictures',
  most: 6,
  budget: 10_000,
  repeats: 4,
  judge: (pet, method, asking) => forgetting(asking, exampleFor(asking, pet), method),
  controls: () => Promise.resolve({}),
})
