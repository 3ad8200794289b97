import Link from 'next/link'
import { Message } from './_ui/Message.tsx'

export const metadata = { title: 'Not found' }

export default function NotFound() {
  return (
    <Message title="There is no such page">
      <p>
        The address may have a typing error. <Link href="/">Explain a photo</Link>, <Link href="/review">a review</Link>
        , or look into the <Link href="/history">history</Link>.
      </p>
    </Message>
  )
}
