/** The whole schema; schema.graphql in the root is printed from it. */
import { printSchema, type GraphQLSchema } from 'graphql'
import { addActivationStatistics } from './activation-statistics.ts'
import { addAnnotation } from './annotation.ts'
import { addAttribution } from './attribution.ts'
import { createBuilder } from './builder.ts'
import { addColourMap } from './colour-map.ts'
import { addComparison } from './comparison.ts'
import { addEnums } from './enums.ts'
import { addEvaluation } from './evaluation.ts'
import { addExplain } from './explain.ts'
import { addMethod } from './method.ts'
import { addMetric } from './metric.ts'
import { addModel } from './model.ts'
import { addModelImport } from './model-import.ts'
import { addRun } from './run.ts'
import { addRuns } from './runs.ts'
import { addShareLink } from './share-link.ts'

export function createSchema(): GraphQLSchema {
  const builder = createBuilder()
  builder.queryType({})
  builder.mutationType({})
  builder.subscriptionType({})
  const enums = addEnums(builder)
  const methods = addMethod(builder, enums)
  const metrics = addMetric(builder, enums, methods)
  const models = addModel(builder, enums, methods)
  const parts = { ...addAttribution(builder), ...addAnnotation(builder), ...addShareLink(builder) }
  const runs = addRun(builder, { ...enums, ...methods, ...models, ...parts })
  addRuns(builder, enums, runs)
  const inputs = addExplain(builder, { ...enums, ...runs })
  const evaluations = addEvaluation(builder, { ...enums, ...metrics, ...models, ...parts, ...runs })
  addComparison(builder, { ...runs, ...inputs, ...evaluations })
  addActivationStatistics(builder, { ...enums, ...runs, ...inputs })
  addColourMap(builder)
  addModelImport(builder, models)
  return builder.toSchema({ sortSchema: false })
}

const NOTICE = '# Printed by server/print-schema.ts from server/schema; do not edit.\n\n'

export function printedSchema(schema: GraphQLSchema): string {
  return `${NOTICE}${printSchema(schema)}\n`
}
