/** What holds for every method of the product holds for those written from the outside. */
import { gradCam } from '../../../lib/methods/image/grad-cam.ts'
import { gradientNorm } from '../../../lib/methods/text/gradient-norm.ts'
import { describeImageMethod } from '../methods/image/describe-image-method.ts'
import { describeTextMethod } from '../methods/text/describe-text-method.ts'
import { deepLift } from './deep-lift.ts'
import { smoothImage, smoothText } from './smooth-grad.ts'

// Asked at a layer, at the input, and nowhere.
const IMAGE = [smoothImage(gradCam), deepLift, smoothImage(deepLift)]
IMAGE.forEach((method) => describeImageMethod(method))
const TEXT = [smoothText(gradientNorm)]
TEXT.forEach(describeTextMethod)
