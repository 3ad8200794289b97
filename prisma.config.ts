import { defineConfig } from 'prisma/config'

/** For Prisma's own command line; the server opens the database by itself (server/database/open.ts). */
export default defineConfig({
  schema: 'prisma/schema.prisma',
  migrations: { path: 'prisma/migrations' },
  datasource: { url: 'file:./data/limelight.db' },
})
