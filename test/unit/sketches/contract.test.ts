/** What holds for every method of the product holds for those written from the outside. */
import { gradCam } from '../../../lib/methods/image/grad-cam.ts'
import { describeImageMethod } from '../methods/image/describe-image-method.ts'
import { deepLift } from './deep-lift.ts'
import { smoothImage } from './smooth-grad.ts'

// Asked at a layer, at the input, and nowhere.
const IMAGE = [smoothImage(gradCam), deepLift, smoothImage(deepLift)]
IMAGE.forEach((method) => describeImageMethod(method))
