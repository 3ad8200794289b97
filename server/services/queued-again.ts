/** What a row becomes whose job ended without a result and is asked for again. */
export function queuedAgain(now: Date) {
  return {
    status: 'QUEUED',
    attempts: 0,
    errorCode: null,
    errorMessage: null,
    queuedAt: now,
    startedAt: null,
    finishedAt: null,
  } as const
}
