import { describe, expect, it } from 'vitest'
import { boxBetween, clampBox, moveBox } from '../../../app/_run/boxes.ts'

describe('boxes', () => {
  it('takes its corners in any order', () => {
    const box = { x: 0.25, y: 0.5, width: 0.5, height: 0.25 }
    expect(boxBetween({ x: 0.75, y: 0.5 }, { x: 0.25, y: 0.75 })).toEqual(box)
    expect(boxBetween({ x: 0.25, y: 0.75 }, { x: 0.75, y: 0.5 })).toEqual(box)
  })

  it('keeps what lies on the picture', () => {
    expect(clampBox({ x: -0.5, y: 0.5, width: 1, height: 1 })).toEqual({ x: 0, y: 0.5, width: 0.5, height: 0.5 })
  })

  it('stops at the edges when moved, and never vanishes when resized', () => {
    let box = { x: 0.5, y: 0.5, width: 0.25, height: 0.25 }
    for (let press = 0; press < 100; press++) box = moveBox(box, 'ArrowRight', false) ?? box
    expect(box).toMatchObject({ x: 0.75, width: 0.25 })
    for (let press = 0; press < 100; press++) box = moveBox(box, 'ArrowUp', true) ?? box
    expect(box.height).toBeGreaterThan(0)
  })

  it('leaves other keys alone', () => {
    expect(moveBox({ x: 0, y: 0, width: 1, height: 1 }, 'Tab', false)).toBeNull()
  })
})
