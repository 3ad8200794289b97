'use client'

import Link from 'next/link'
import { usePathname } from 'next/navigation'
import { useOpenShortcuts } from '../_actions/ActionProvider.tsx'
import styles from './Header.module.css'

const PAGES = [
  { path: '/photo', label: 'Photo' },
  { path: '/review', label: 'Review' },
  { path: '/history', label: 'History' },
  { path: '/models', label: 'Models' },
  { path: '/methods', label: 'Methods' },
] as const

/** The way around. A shared page shows the name only: its reader was given one run, not the workbench. */
export function Header() {
  const pathname = usePathname()
  const openShortcuts = useOpenShortcuts()
  const isShared = pathname.startsWith('/shared/')
  const current = pathname === '/' ? '/photo' : pathname
  const brand = (
    <>
      <svg viewBox="0 0 20 20" width="20" height="20" aria-hidden="true">
        <path d="M6.5 4h7l3 12h-13z" fill="var(--accent)" opacity="0.25" />
        <ellipse cx="10" cy="15.5" rx="6.5" ry="2.5" fill="var(--accent)" />
        <rect x="6.5" y="2.5" width="7" height="3" rx="1.5" fill="currentColor" />
      </svg>
      Limelight
    </>
  )
  return (
    <header className={styles['header']}>
      <div className={styles['inner']}>
        {isShared ? (
          <span className={styles['brand']}>{brand}</span>
        ) : (
          <Link href="/" className={styles['brand']}>
            {brand}
          </Link>
        )}
        {isShared ? (
          <span className={styles['aside']}>A shared run, read only</span>
        ) : (
          <>
            <nav aria-label="Main" className={styles['nav']}>
              {PAGES.map(({ path, label }) => (
                <Link key={path} href={path} aria-current={current === path ? 'page' : undefined}>
                  {label}
                </Link>
              ))}
            </nav>
            <div className={styles['tools']}>
              <a href="/graphql">GraphQL</a>
              <button type="button" data-variant="quiet" data-size="small" onClick={openShortcuts}>
                Shortcuts <kbd aria-hidden="true">?</kbd>
              </button>
            </div>
          </>
        )}
      </div>
    </header>
  )
}
