import { earlierRunIn, type WorkbenchPageProps } from '../_workbench/earlierRun.ts'
import { ReviewWorkbench } from '../_workbench/ReviewWorkbench.tsx'

export const metadata = { title: 'Explain a review' }

export default async function ReviewPage(props: WorkbenchPageProps) {
  return <ReviewWorkbench earlierRunId={await earlierRunIn(props)} />
}
