'use client'

import Link from 'next/link'
import { useState } from 'react'
import { usePageCommands } from '../_actions/ActionProvider.tsx'
import { ShareDialog } from '../_run/ShareDialog.tsx'

/** Share the run that is shown, or go to its page. */
export function RunActions({ runId }: { readonly runId: string }) {
  const [sharing, setSharing] = useState(false)
  const share = () => {
    setSharing(true)
  }
  usePageCommands({ share })
  return (
    <>
      <button type="button" onClick={share}>
        Share
      </button>
      <Link href={`/runs/${runId}`} data-button="">
        Open run page
      </Link>
      {sharing ? (
        <ShareDialog
          runId={runId}
          onClose={() => {
            setSharing(false)
          }}
        />
      ) : null}
    </>
  )
}
