/** Boxes on a picture, in fractions of its width and height. */
import type { Box } from '../_graphql/types.ts'

export const FIRST_BOX: Box = { x: 0.35, y: 0.35, width: 0.3, height: 0.3 }

const STEP = 0.02
const SMALLEST = 0.02

interface Point {
  readonly x: number
  readonly y: number
}

function clamp(value: number, low: number, high: number): number {
  return Math.min(high, Math.max(low, value))
}

/** The box with two opposite corners. */
export function boxBetween(a: Point, b: Point): Box {
  return { x: Math.min(a.x, b.x), y: Math.min(a.y, b.y), width: Math.abs(a.x - b.x), height: Math.abs(a.y - b.y) }
}

/** The part of a box that lies on the picture. */
export function clampBox(box: Box): Box {
  const x = clamp(box.x, 0, 1)
  const y = clamp(box.y, 0, 1)
  return { x, y, width: clamp(box.x + box.width, x, 1) - x, height: clamp(box.y + box.height, y, 1) - y }
}

/** One step of a box for an arrow key: moved, or with Shift resized; null for any other key. */
export function moveBox(box: Box, key: string, resize: boolean): Box | null {
  const step = { ArrowLeft: [-STEP, 0], ArrowRight: [STEP, 0], ArrowUp: [0, -STEP], ArrowDown: [0, STEP] }[key]
  if (!step) return null
  const [dx = 0, dy = 0] = step
  if (resize) {
    return {
      ...box,
      width: clamp(box.width + dx, SMALLEST, 1 - box.x),
      height: clamp(box.height + dy, SMALLEST, 1 - box.y),
    }
  }
  return { ...box, x: clamp(box.x + dx, 0, 1 - box.width), y: clamp(box.y + dy, 0, 1 - box.height) }
}
