/** Whether a method can run on a model at all, and if not, why: asked before a run is accepted. */
import type { ExplainableModel, Tap } from '../engine/model.ts'
import type { Method, Modality, Need } from './method.ts'

/** The taps at which a method could be asked for a gradient; the default one where it names no kind of layer. */
function gradientTaps(needs: readonly Need[], model: ExplainableModel): readonly Tap[] {
  const spatial = needs.includes('spatial-tap')
  return model.taps.filter((tap) => (spatial ? tap.spatial : tap.id === model.defaultTap))
}

/** null when the need is met, else a sentence. */
async function unmet(need: Need, needs: readonly Need[], model: ExplainableModel): Promise<string | null> {
  switch (need) {
    case 'gradient': {
      const taps = gradientTaps(needs, model)
      if (taps.some((tap) => tap.differentiable)) return null
      // The latest layer has the fewest obstacles before the output: what it lacks, all lack.
      return taps.at(-1)?.reason ?? 'It needs a gradient, and none reaches any tensor of this model.'
    }
    case 'spatial-tap':
      if (model.taps.some((tap) => tap.spatial)) return null
      return 'It needs a layer with spatial extent, and this model has none.'
    case 'linear-head':
      for (const tap of model.taps) {
        if (tap.spatial && (await model.linearHead(tap.id)) !== null) return null
      }
      return 'It needs global average pooling followed by one linear layer at the end of the network; use Grad-CAM instead.'
    case 'embedding-tap':
      if (model.taps.some((tap) => tap.kind === 'embedding')) return null
      return 'It needs an embedding layer, and this model has none.'
  }
}

/**
 * Why `method` cannot run on `model`, in a sentence for its user; null when it can.
 * @param modality what the model reads.
 */
export async function whyUnavailable(
  method: Method,
  model: ExplainableModel,
  modality: Modality,
): Promise<string | null> {
  if (method.modality !== modality) {
    const reads = modality === 'image' ? 'pictures' : 'text'
    return `${method.title} explains ${method.modality} models, and this one reads ${reads}.`
  }
  for (const need of method.needs) {
    const reason = await unmet(need, method.needs, model)
    if (reason !== null) return reason
  }
  return null
}
