import { earlierRunIn, type WorkbenchPageProps } from './_workbench/earlierRun.ts'
import { PhotoWorkbench } from './_workbench/PhotoWorkbench.tsx'

export const metadata = { title: 'Explain a photo' }

export default async function PhotoPage(props: WorkbenchPageProps) {
  return <PhotoWorkbench earlierRunId={await earlierRunIn(props)} />
}
