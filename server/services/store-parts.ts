/** What keeps the rows behind jobs. */
import type { Method } from '../../lib/methods/method.ts'
import type { PrismaClient } from '../../prisma/generated/client.ts'

export interface StoreParts {
  readonly prisma: PrismaClient
  readonly methods: readonly Method[]
  readonly now: () => Date
  readonly version: string
}
