import { HistoryList } from '../_history/HistoryList.tsx'

export const metadata = { title: 'History' }

export default function HistoryPage() {
  return <HistoryList />
}
