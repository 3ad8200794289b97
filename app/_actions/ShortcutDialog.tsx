'use client'

import { Dialog } from '../_ui/Dialog.tsx'
import { ACTIONS, type Action, type ActionContext } from './actions.ts'
import styles from './ShortcutDialog.module.css'

const GROUPS: readonly Action['group'][] = ['Workbench and runs', 'Everywhere']

function Keys({ shortcut }: { readonly shortcut: string }) {
  const isMac = navigator.platform.startsWith('Mac')
  return (
    <span className={styles['keys']}>
      {shortcut.split(' ').map((key, position) => (
        <kbd key={position}>{key.replace('Mod+', isMac ? '⌘ ' : 'Ctrl ')}</kbd>
      ))}
    </span>
  )
}

/** The list of shortcuts; what the page can do now can be clicked as well. */
export function ShortcutDialog({
  context,
  onClose,
}: {
  readonly context: ActionContext
  readonly onClose: () => void
}) {
  return (
    <Dialog title="Keyboard shortcuts" onClose={onClose}>
      {GROUPS.map((group) => (
        <section key={group} className={styles['group']}>
          <h3>{group}</h3>
          <ul>
            {ACTIONS.filter((action) => action.group === group).map((action) => (
              <li key={action.name}>
                <button
                  type="button"
                  data-variant="quiet"
                  disabled={!action.available(context) || action.name === 'open-shortcuts'}
                  onClick={() => {
                    onClose()
                    action.run(context)
                  }}
                >
                  <span>{action.label}</span>
                  <Keys shortcut={action.shortcut} />
                </button>
              </li>
            ))}
          </ul>
        </section>
      ))}
      <p className={styles['hint']}>
        Greyed lines need a photo, a review or a run on the page. On the picture and on the text, arrow keys read the
        values.
      </p>
    </Dialog>
  )
}
