import { ModelCards } from '../_pages/ModelCards.tsx'

export const metadata = { title: 'Models' }

export default function ModelsPage() {
  return <ModelCards />
}
