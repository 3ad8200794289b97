/** Whether a method can run on a model at all, and if not, why: asked before a run is accepted. */
import type { ExplainableModel } from '../engine/model.ts'
import type { Method, Modality, Need } from './method.ts'

/** null when the need is met, else a sentence. */
async function unmet(need: Need, model: ExplainableModel): Promise<string | null> {
  switch (need) {
    case 'gradient': {
      const tap = model.taps.find((one) => one.id === model.defaultTap)
      if (tap?.differentiable === true) return null
      return tap?.reason ?? 'It needs a gradient, and none reaches any tensor of this model.'
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
    const reason = await unmet(need, model)
    if (reason !== null) return reason
  }
  return null
}
