'use client'

import { Message } from './_ui/Message.tsx'

/** What is shown where a page itself broke. */
export default function PageError({ error, reset }: { readonly error: Error; readonly reset: () => void }) {
  return (
    <Message title="This page broke">
      <p>Nothing stored is lost. Try again; if it breaks again, load the page anew.</p>
      <p>
        <code>{error.message}</code>
      </p>
      <p>
        <button type="button" data-variant="primary" onClick={reset}>
          Try again
        </button>
      </p>
    </Message>
  )
}
