/** What people marked, as the quality figures read it. */
import { createWriteStream } from 'node:fs'
import { mkdtemp, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { finished } from 'node:stream/promises'
import sharp from 'sharp'
import { pack } from 'tar-stream'
import { describe, expect, it } from 'vitest'
import { outlinedPets, readTrimap } from '../../../bench/datasets/annotated.ts'
import { editedSpans } from '../../../bench/datasets/edited-words.ts'

/** Two rows of three: pet, background, boundary; background, boundary, pet. */
const TRIMAP = [1, 2, 3, 2, 3, 1]
const trimap = (): Promise<Buffer> =>
  sharp(Uint8Array.from(TRIMAP), { raw: { width: 3, height: 2, channels: 1 } })
    .png()
    .toBuffer()

/** The words that are marked, by the code points that the spans name. */
function marked(text: string, edited: string): string[] {
  const points = Array.from(text)
  return editedSpans(text, edited).map(({ start, end }) => points.slice(start, end).join(''))
}

describe('outlines', () => {
  it('the boundary is no pet, and no background', async () => {
    const { pet, petAndBoundary } = await readTrimap(await trimap())
    expect([pet.height, pet.width]).toEqual([2, 3])
    expect([...pet.inside]).toEqual([1, 0, 0, 0, 0, 1])
    expect([...petAndBoundary.inside]).toEqual([1, 0, 1, 0, 1, 1])
  })

  it('each picture has its trimap; breeds of cats are written with a capital', async () => {
    const data = await mkdtemp(join(tmpdir(), 'limelight-pets-'))
    const archive = pack()
    const file = createWriteStream(join(data, 'pets-masks.tar'))
    archive.pipe(file)
    for (const name of ['Bengal_2', 'american_bulldog_4']) {
      archive.entry({ name: `${name}.jpg` }, Buffer.from(name))
      archive.entry({ name: `${name}.mask.png` }, await trimap())
    }
    archive.entry({ name: 'Bengal_6.mask.png' }, await trimap())
    archive.finalize()
    await finished(file)
    const pets = outlinedPets(data)
    const found = [(await pets.next()).value, (await pets.next()).value]
    expect(found).toMatchObject([
      { name: 'Bengal_2', label: 'cat', bytes: Buffer.from('Bengal_2') },
      { name: 'american_bulldog_4', label: 'dog', bytes: Buffer.from('american_bulldog_4') },
    ])
    await expect(pets.next()).rejects.toThrow('Bengal_6.mask.png does not come right behind its picture')
    await rm(data, { recursive: true })
  })
})

describe('edited words', () => {
  it('are those that the other version lacks', () => {
    const [bad, good] = [
      'Long, boring film. Never so glad to see it end.',
      'Long, moving film. Never so sad to see it end.',
    ]
    expect(marked(bad, good)).toEqual(['boring', 'glad'])
    expect(marked(good, bad)).toEqual(['moving', 'sad'])
  })

  it('a word that is only left out or put in is one of its own version', () => {
    expect(marked('It is not good.', 'It is good.')).toEqual(['not'])
    expect(marked('It is good.', 'It is not good.')).toEqual([])
  })

  it('of equal words the fewest are marked, capitals and line breaks aside', () => {
    expect(marked('so so bad', 'so bad')).toHaveLength(1)
    expect(marked('The film<br />ends', 'Oh the film ends')).toEqual([])
    expect(marked('a b c d', 'c d a b')).toHaveLength(2)
  })

  it('positions count code points, and hyphens and apostrophes stay in their words', () => {
    expect(editedSpans('🎬 don’t see', '🎬 do see')).toEqual([{ start: 2, end: 7 }])
    expect(marked('a well-made 🎬🎬 bore', 'a well-made 🎬🎬 joy')).toEqual(['bore'])
  })
})
