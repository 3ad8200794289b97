'use client'

import { useRouter } from 'next/navigation'
import { createContext, useContext, useEffect, useId, useLayoutEffect, useRef, useState, type ReactNode } from 'react'
import { keyOf, matchKeys, type ActionContext, type PageCommands } from './actions.ts'
import { ShortcutDialog } from './ShortcutDialog.tsx'

interface ActionState {
  readonly offer: (part: string, commands: PageCommands | null) => void
  readonly openShortcuts: () => void
}

const Context = createContext<ActionState>({ offer: () => undefined, openShortcuts: () => undefined })

/** Hands the commands of a part of the page to the keyboard for as long as it is shown. */
export function usePageCommands(commands: PageCommands): void {
  const { offer } = useContext(Context)
  const part = useId()
  // Before the page is painted: a key pressed as soon as something is seen must find it.
  useLayoutEffect(() => {
    offer(part, commands)
  })
  useLayoutEffect(
    () => () => {
      offer(part, null)
    },
    [offer, part],
  )
}

export function useOpenShortcuts(): () => void {
  return useContext(Context).openShortcuts
}

function isTyping(target: EventTarget | null): boolean {
  if (!(target instanceof HTMLElement)) return false
  return (
    target.isContentEditable ||
    target instanceof HTMLTextAreaElement ||
    target instanceof HTMLSelectElement ||
    (target instanceof HTMLInputElement && !['checkbox', 'radio', 'range', 'button'].includes(target.type))
  )
}

export function ActionProvider({ children }: { readonly children: ReactNode }) {
  const router = useRouter()
  const parts = useRef(new Map<string, PageCommands>())
  const keys = useRef<{ pressed: string[]; at: number }>({ pressed: [], at: 0 })
  const [listed, setListed] = useState<ActionContext | null>(null)
  const [state] = useState<ActionState>(() => ({
    offer: (part, commands) => {
      if (commands) parts.current.set(part, commands)
      else parts.current.delete(part)
    },
    openShortcuts: () => {
      setListed(makeContext())
    },
  }))

  function makeContext(): ActionContext {
    return {
      page: Object.assign({}, ...parts.current.values()) as PageCommands,
      navigate: (path) => {
        router.push(path)
      },
      openShortcuts: () => {
        setListed(makeContext())
      },
    }
  }

  useEffect(() => {
    function onKeyDown(event: KeyboardEvent) {
      if (event.defaultPrevented || event.altKey || event.isComposing) return
      if (document.querySelector('dialog[open]')) return
      const key = keyOf(event)
      if (isTyping(event.target) && !key.startsWith('Mod+')) return
      const fresh = event.timeStamp - keys.current.at > 1200 ? [] : keys.current.pressed
      let pressed = [...fresh, key]
      let match = matchKeys(pressed)
      if (!match.action && !match.started) {
        pressed = [key]
        match = matchKeys(pressed)
      }
      keys.current = { pressed: match.started ? pressed : [], at: event.timeStamp }
      const context = makeContext()
      if (match.action?.available(context)) {
        event.preventDefault()
        match.action.run(context)
      }
    }
    window.addEventListener('keydown', onKeyDown)
    return () => {
      window.removeEventListener('keydown', onKeyDown)
    }
  })

  return (
    <Context value={state}>
      {children}
      {listed ? (
        <ShortcutDialog
          context={listed}
          onClose={() => {
            setListed(null)
          }}
        />
      ) : null}
    </Context>
  )
}
