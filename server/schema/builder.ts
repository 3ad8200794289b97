/** The schema builder; every file of this folder adds its entity to it. */
import SchemaBuilder from '@pothos/core'
import { DateTimeResolver, JSONResolver } from 'graphql-scalars'
import type { Context } from './context.ts'

export interface SchemaTypes {
  Context: Context
  DefaultFieldNullability: false
  Scalars: {
    ID: { Input: string; Output: string }
    DateTime: { Input: Date; Output: Date }
    JSON: { Input: unknown; Output: unknown }
  }
}

export type Builder = PothosSchemaTypes.SchemaBuilder<PothosSchemaTypes.ExtendDefaultTypes<SchemaTypes>>

export function createBuilder(): Builder {
  const builder = new SchemaBuilder<SchemaTypes>({ defaultFieldNullability: false })
  builder.addScalarType('DateTime', DateTimeResolver, { description: 'A moment in time, RFC 3339, in UTC.' })
  builder.addScalarType('JSON', JSONResolver, { description: 'Any JSON value.' })
  return builder
}
