import { RunPage } from '../../_run/RunPage.tsx'

export const metadata = { title: 'Run' }

export default async function Page({ params }: { readonly params: Promise<{ id: string }> }) {
  const { id } = await params
  return <RunPage id={id} />
}
