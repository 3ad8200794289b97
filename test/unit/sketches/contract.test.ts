/** What holds for every method of the product holds for those written from the outside. */
import { gradCam } from '../../../lib/methods/image/grad-cam.ts'
import { describeImageMethod } from '../methods/image/describe-image-method.ts'
import { describeTextMethod } from '../methods/text/describe-text-method.ts'
import { deepLift } from './deep-lift.ts'
import { imageOcclusion } from './occlusion.ts'
import { scoreCam } from './score-cam.ts'
import { smoothImage } from './smooth-grad.ts'
import { wordLime } from './word-lime.ts'

// Asked at a layer, at the input, and nowhere.
const IMAGE = [scoreCam, smoothImage(gradCam), deepLift, smoothImage(deepLift), imageOcclusion]
IMAGE.forEach((method) => describeImageMethod(method))
describeTextMethod(wordLime)
