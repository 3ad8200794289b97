import { describe, expect, it } from 'vitest'
import { ACTIONS, keyOf, matchKeys } from '../../../app/_actions/actions.ts'

describe('actions', () => {
  it('have names and shortcuts of their own', () => {
    expect(new Set(ACTIONS.map(({ name }) => name)).size).toBe(ACTIONS.length)
    expect(new Set(ACTIONS.map(({ shortcut }) => shortcut)).size).toBe(ACTIONS.length)
  })

  it('no shortcut begins another one, which could then never be typed', () => {
    for (const { shortcut } of ACTIONS) {
      expect(ACTIONS.filter((other) => other.shortcut.startsWith(`${shortcut} `))).toEqual([])
    }
  })

  it('are found by their keys, one after the other', () => {
    expect(matchKeys(['g'])).toEqual({ action: undefined, started: true })
    expect(matchKeys(['g', 'h']).action?.name).toBe('open-history')
    expect(matchKeys(['x'])).toEqual({ action: undefined, started: false })
    expect(keyOf({ key: 'Enter', ctrlKey: false, metaKey: true })).toBe('Mod+Enter')
  })

  it('are there only where the page has the command', () => {
    const context = { page: { share: () => undefined }, navigate: () => undefined, openShortcuts: () => undefined }
    const available = ACTIONS.filter((action) => action.available(context)).map(({ name }) => name)
    expect(available).toContain('share')
    expect(available).toContain('open-history')
    expect(available).not.toContain('explain')
  })
})
