/** How much memory this process held at its peak. */
import { existsSync, readFileSync } from 'node:fs'

const STATUS = '/proc/self/status'

/**
 * Bytes. On Linux from the kernel's own account of this program: what getrusage says there includes the parent's size at
 * the moment it started this process.
 */
export function peakResidentBytes(): number {
  if (!existsSync(STATUS)) return process.resourceUsage().maxRSS * 1024
  return peakInStatus(readFileSync(STATUS, 'utf8'))
}

/** @throws Error where the file has no line for it. */
export function peakInStatus(status: string): number {
  const kibibytes = /^VmHWM:\s+(\d+) kB$/m.exec(status)?.[1]
  if (kibibytes === undefined) throw new Error(`${STATUS} has no VmHWM`)
  return Number(kibibytes) * 1024
}
