import type { Parts } from '../parts.ts'

/** Whether the database answers. */
export async function checkDatabase(parts: Pick<Parts, 'prisma'>): Promise<boolean> {
  return parts.prisma.$queryRaw`SELECT 1`.then(
    () => true,
    () => false,
  )
}
