/** The schema builder; every file of this folder adds its entity to it. */
import SchemaBuilder from '@pothos/core'
import RelayPlugin from '@pothos/plugin-relay'
import { DateTimeResolver, JSONResolver } from 'graphql-scalars'
import { answerSize } from './answer-size.ts'
import type { Context } from './context.ts'

interface SchemaTypes {
  Context: Context
  DefaultFieldNullability: false
  DefaultEdgesNullability: false
  Scalars: {
    ID: { Input: string; Output: string }
    DateTime: { Input: Date; Output: Date }
    JSON: { Input: unknown; Output: unknown }
  }
  /** What every connection has besides its page. Counted only where it is asked for. */
  Connection: { readonly totalCount: () => Promise<number> }
}

export type Builder = PothosSchemaTypes.SchemaBuilder<PothosSchemaTypes.ExtendDefaultTypes<SchemaTypes>>

export function createBuilder(): Builder {
  const builder = new SchemaBuilder<SchemaTypes>({
    defaultFieldNullability: false,
    plugins: [RelayPlugin],
    relay: {
      pageInfoTypeOptions: { description: 'Where a page begins and ends.' },
      endCursorFieldOptions: { description: 'Give it as `after` to get the next page.' },
      edgesFieldOptions: { nullable: false },
    },
  })
  builder.addScalarType('DateTime', DateTimeResolver, { description: 'A moment in time, RFC 3339, in UTC.' })
  builder.addScalarType('JSON', JSONResolver, { description: 'Any JSON value.' })
  builder.globalConnectionField('totalCount', (t) =>
    t.int({
      description: 'Of all pages.',
      // Looks through every row where the filter is a search.
      extensions: answerSize({ weight: 10_000 }),
      resolve: ({ totalCount }) => totalCount(),
    }),
  )
  return builder
}
