/** `npx tsx server/print-schema.ts`: writes schema.graphql from the code. */
import { writeFileSync } from 'node:fs'
import { createSchema, printedSchema } from './schema/schema.ts'

writeFileSync(new URL('../schema.graphql', import.meta.url), printedSchema(createSchema()))
