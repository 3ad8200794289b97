import { Prisma } from '../../prisma/generated/client.ts'

/** True for the error of a row that is there already (Prisma's P2002). */
export function isUniqueViolation(error: unknown): boolean {
  return error instanceof Prisma.PrismaClientKnownRequestError && error.code === 'P2002'
}
