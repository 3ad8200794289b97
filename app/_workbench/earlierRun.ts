export interface WorkbenchPageProps {
  readonly searchParams: Promise<Readonly<Record<string, string | string[] | undefined>>>
}

/** `?run=` of a workbench page's address. */
export async function earlierRunIn({ searchParams }: WorkbenchPageProps): Promise<string | null> {
  const { run } = await searchParams
  return typeof run === 'string' && run !== '' ? run : null
}
