import type { Metadata } from 'next'
import { SharedRunPage } from '../../_run/SharedRunPage.tsx'

export const metadata: Metadata = { title: 'Shared run', robots: { index: false }, referrer: 'no-referrer' }

export default async function Page({ params }: { readonly params: Promise<{ token: string }> }) {
  const { token } = await params
  return <SharedRunPage token={token} />
}
