/** The layer that a model's questions are about where none is named. */
import type { Tap } from '../../model.ts'
import type { Graph } from '../graph/graph.ts'
import { operatorOf } from '../operators/operator-of.ts'

/**
 * Word embedding of a text model, last feature map that a gradient reaches, else the first differentiable tap. A map that is
 * another one rounded is passed over: a quantised model so has the layer of the float model that it was made of. Where later
 * maps are read for their class token alone, it is the last sum or normalisation before them, and no part of an attention
 * (Gildenblat, pytorch-grad-cam, "How does it work with Vision Transformers").
 * @param words the word embeddings, the likeliest first: the default whether or not a gradient reaches it, as the rows of
 *   another table say nothing of the words.
 */
export function sensibleTap(taps: readonly Tap[], words: readonly string[] = []): string {
  const usable = taps.filter((tap) => tap.differentiable)
  const isRounded = (tap: Tap): boolean => tap.operator === 'DequantizeLinear' && tap.kind === 'other'
  const maps = usable.filter((one) => one.spatial && one.kind !== 'input' && !isRounded(one))
  const last = maps.at(-1)
  const behind = last === undefined ? [] : taps.slice(taps.indexOf(last) + 1)
  const unread = behind.some((one) => one.mapOf !== undefined && !one.differentiable)
  const whole = unread ? maps.findLast((one) => one.kind === 'norm' || one.kind === 'add') : undefined
  const readsPictures = taps.some((one) => one.kind === 'input' && one.shape.length === 4)
  const [word] = words.flatMap((name) => taps.filter((one) => one.id === name))
  const tap =
    (readsPictures ? undefined : word) ??
    whole ??
    last ??
    word ??
    usable.find((one) => one.kind === 'embedding') ??
    usable[0] ??
    taps[0]
  return tap?.id ?? ''
}

/** More layers with weights than this behind the last map are no head. */
const HEAD = 4

/** Says where no late map was found in a model of pictures, as then nothing of its late layers can be seen; else ''. */
export function mapNote(graph: Graph, taps: readonly Tap[], chosen: string): string {
  const tap = taps.find((one) => one.id === chosen)
  if (tap === undefined || !taps.some((one) => one.kind === 'input' && one.shape.length === 4)) return ''
  const remedy = 'Choose a layer, or name one as defaultTap in card.json.'
  if (tap.kind === 'input' || !tap.spatial)
    return `No feature map was found that a gradient reaches: the default layer is ${tap.id}. ${remedy}`
  const place = graph.nodes.findIndex((node) => node.outputs.includes(tap.mapOf ?? tap.id))
  const weighted = graph.nodes.flatMap((node, at) => (operatorOf(node).products === undefined ? [] : [at]))
  const behind = weighted.filter((at) => at > place).length
  if (behind <= HEAD || behind * 2 <= weighted.length) return ''
  return `No late feature map was found: behind the default layer ${tap.id} are ${behind} of ${weighted.length} layers with weights. ${remedy}`
}
