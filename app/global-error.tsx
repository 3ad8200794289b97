'use client'

/** What is shown where even the frame of the pages broke; it cannot count on their styles. */
export default function GlobalError({ reset }: { readonly reset: () => void }) {
  return (
    <html lang="en">
      <body>
        <main>
          <h1>Limelight’s page broke</h1>
          <p>Nothing stored is lost. Load the page anew.</p>
          <button type="button" onClick={reset}>
            Try again
          </button>
        </main>
      </body>
    </html>
  )
}
