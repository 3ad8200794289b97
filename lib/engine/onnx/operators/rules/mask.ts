/**
 * Cotangents kept where an activation was open. Over a feature map the mask is made by convolutions of one tap a channel,
 * with which the runtime fuses the activation behind them (blocked.ts says why).
 */
import type { Builder } from '../../graph/builder.ts'
import { blockedChannels, line } from './blocked.ts'

/** A power of two, so that products with it are exact. Every positive normal number times it is at least 1. */
const STEEP = 2 ** 127
/** The same for bounds other than 0, whose multiples must stay finite: still tells a bound from its neighbours. */
const STEEP_AT_BOUND = 2 ** 100
const LARGEST_BOUND = 2 ** 20
/** Far below any activation, and far above the smallest number. */
const TINY = 2 ** -100

/** 1 where x is 0, 0 where it is larger; x [N, channels, H, W] is not negative. */
export function whereZero(build: Builder, x: string, channels: number): string {
  return step(build, x, channels, -STEEP, 1)
}

/** 1 where scale x + offset is 1 or more, 0 where it is 0 or less. */
function step(build: Builder, x: string, channels: number, scale: number, offset: number): string {
  return build.op('Clip', [line(build, x, channels, scale, offset), build.float(0), build.float(1)])
}

/**
 * 1 where 0 < y < high, else 0, for y in [0, high]. A leaky rectifier with its kink at TINY folds the range: from `high` at
 * y = 0 it falls steeply to 0 at TINY, and rises with y to `high` again. Each value on the way is exact or rounds towards
 * the inside.
 */
function inside(build: Builder, y: string, channels: number, high: number): string {
  const folded = build.op('LeakyRelu', [line(build, y, channels, 1, -TINY)], { alpha: { float: -high / TINY } })
  return step(build, folded, channels, -STEEP_AT_BOUND, STEEP_AT_BOUND * high)
}

/** g where low < y < high, else 0: what a clipping or rectifying activation with the output y lets through. */
export function keepBetween(build: Builder, y: string, low: number, high: number, g: string): string {
  const channels = blockedChannels(build, y)
  if (channels !== null && low === 0 && high === Infinity) return build.mul(g, step(build, y, channels, STEEP, 0))
  if (channels !== null && low === 0 && high > 0 && high <= LARGEST_BOUND)
    return build.mul(g, inside(build, y, channels, high))
  const kept = low === -Infinity ? g : build.keep(g, build.op('Greater', [y, build.float(low)]))
  return high === Infinity ? kept : build.keep(kept, build.op('Less', [y, build.float(high)]))
}
