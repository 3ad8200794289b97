import { MethodCards } from '../_pages/MethodCards.tsx'

export const metadata = { title: 'Methods' }

export default function MethodsPage() {
  return <MethodCards />
}
