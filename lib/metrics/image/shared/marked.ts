/** What a person marked of a picture, beside the map, pixel by pixel of what the model sees. */
import { AppError } from '../../../errors.ts'
import type { JudgedImage, MarkedPixels } from '../../metric.ts'

export function markedIn({ marked }: Pick<JudgedImage, 'marked'>): MarkedPixels {
  if (marked !== null) return marked
  throw new AppError({ code: 'INTERNAL', message: 'a metric that needs marks was asked without any' })
}

export const NOTHING_POSITIVE = 'No value of the map is above 0, so nothing on it speaks for the class.'
