/**
 * Everything the keyboard can do, as data. The shortcut list and the key handler both read it; a page takes part by handing
 * in its commands with `usePageCommands`.
 */
export interface PageCommands {
  readonly explain?: () => void
  readonly cancel?: () => void
  readonly choosePhoto?: () => void
  readonly toggleMap?: () => void
  readonly strongerMap?: () => void
  readonly fainterMap?: () => void
  readonly toggleWords?: () => void
  readonly annotate?: () => void
  readonly share?: () => void
  readonly search?: () => void
}

export interface ActionContext {
  readonly page: PageCommands
  readonly navigate: (path: string) => void
  readonly openShortcuts: () => void
}

export interface Action {
  readonly name: string
  readonly label: string
  /** Keys in order, separated by spaces; `Mod` is Ctrl, on a Mac Command. */
  readonly shortcut: string
  readonly group: 'Everywhere' | 'Workbench and runs'
  /** False where the page has no such thing. */
  readonly available: (context: ActionContext) => boolean
  readonly run: (context: ActionContext) => void
}

function go(name: string, label: string, shortcut: string, path: string): Action {
  return {
    name,
    label,
    shortcut,
    group: 'Everywhere',
    available: () => true,
    run: ({ navigate }) => {
      navigate(path)
    },
  }
}

function command(name: keyof PageCommands, label: string, shortcut: string): Action {
  return {
    name,
    label,
    shortcut,
    group: 'Workbench and runs',
    available: ({ page }) => page[name] !== undefined,
    run: ({ page }) => page[name]?.(),
  }
}

export const ACTIONS: readonly Action[] = Object.freeze([
  command('explain', 'Explain the review', 'Mod+Enter'),
  command('cancel', 'Cancel the run', 'Mod+.'),
  command('choosePhoto', 'Choose a photo', 'o'),
  command('toggleMap', 'Show or hide the map', 'm'),
  command('strongerMap', 'Map more opaque', ']'),
  command('fainterMap', 'Map less opaque', '['),
  command('toggleWords', 'Switch between words and tokens', 'w'),
  command('annotate', 'Add an annotation', 'a'),
  command('share', 'Share the run', 's'),
  command('search', 'Search the history', '/'),
  go('open-photo', 'Go to the photo workbench', 'g p', '/photo'),
  go('open-review', 'Go to the review workbench', 'g r', '/review'),
  go('open-history', 'Go to the history', 'g h', '/history'),
  go('open-models', 'Go to the models', 'g m', '/models'),
  go('open-methods', 'Go to the methods', 'g e', '/methods'),
  {
    name: 'open-shortcuts',
    label: 'List these shortcuts',
    shortcut: '?',
    group: 'Everywhere',
    available: () => true,
    run: ({ openShortcuts }) => {
      openShortcuts()
    },
  },
])

/** `Mod+Enter` for the key event, in the notation of {@link Action.shortcut}. */
export function keyOf(event: Pick<KeyboardEvent, 'key' | 'ctrlKey' | 'metaKey'>): string {
  return `${event.ctrlKey || event.metaKey ? 'Mod+' : ''}${event.key}`
}

/** The action for the keys pressed so far, and whether more keys could lead to one. */
export function matchKeys(keys: readonly string[]): { action: Action | undefined; started: boolean } {
  const pressed = keys.join(' ')
  return {
    action: ACTIONS.find((action) => action.shortcut === pressed),
    started: ACTIONS.some((action) => action.shortcut.startsWith(`${pressed} `)),
  }
}
