import type { Metadata, Viewport } from 'next'
import type { ReactNode } from 'react'
import { ActionProvider } from './_actions/ActionProvider.tsx'
import { GraphQLProvider } from './_graphql/GraphQLProvider.tsx'
import { Header } from './_shell/Header.tsx'
import './globals.css'

export const metadata: Metadata = {
  title: { default: 'Limelight', template: '%s · Limelight' },
  description: 'Which pixels, which words, made a model say what it said.',
  icons: { icon: '/icon.svg' },
}

export const viewport: Viewport = {
  width: 'device-width',
  initialScale: 1,
  themeColor: [
    { media: '(prefers-color-scheme: light)', color: '#fbfbfa' },
    { media: '(prefers-color-scheme: dark)', color: '#141513' },
  ],
}

export default function RootLayout({ children }: { readonly children: ReactNode }) {
  return (
    <html lang="en">
      <body>
        <a className="skip-link" href="#content">
          Skip to the content
        </a>
        <GraphQLProvider>
          <ActionProvider>
            <Header />
            <main id="content" tabIndex={-1}>
              {children}
            </main>
          </ActionProvider>
        </GraphQLProvider>
      </body>
    </html>
  )
}
