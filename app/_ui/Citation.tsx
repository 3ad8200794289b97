interface CitationProps {
  readonly paper: { readonly title: string; readonly authors: string; readonly year: number; readonly url: string }
}

/** The paper that something comes from, with a link to it. */
export function Citation({ paper: { title, authors, year, url } }: CitationProps) {
  return (
    <>
      {authors} {year}:{' '}
      <a href={url} target="_blank" rel="noreferrer">
        {title}
      </a>
    </>
  )
}
