/** What is given with a question, checked against the graph, as the compiled graph takes it. */
import type { Tensor as RuntimeTensor } from 'onnxruntime-node'
import { AppError } from '../../../errors.ts'
import { sizeOf, type Tensor } from '../../../tensor/tensor.ts'
import type { Extents } from '../../formula-shape.ts'
import { computedWeights } from '../../given.ts'
import type { Question } from '../../model.ts'
import { DataType, typeIn, type Graph, type Shape } from '../graph/graph.ts'
import { toRuntime, typeCode, typeName } from '../run/runtime.ts'
import type { CompiledGraph } from './compile.ts'

type CompiledInputs = Omit<CompiledGraph, 'graph'>

export function badInput(message: string): AppError {
  return new AppError({ code: 'BAD_INPUT', message })
}

/** A given tensor, once its type and its fixed extents are what the graph says. */
export function checkedTensor(graph: Graph, name: string, tensor: Tensor | undefined): Tensor {
  if (tensor === undefined) throw badInput(`A value for "${name}" is missing.`)
  const type = typeIn(graph, name) || DataType.float
  if (typeCode(tensor.type) !== type) throw badInput(`"${name}" takes ${typeName(type)}, found ${tensor.type}.`)
  checkShape(graph, name, tensor.dims)
  if (tensor.data.length !== sizeOf(tensor.dims))
    throw badInput(`"${name}" of shape [${tensor.dims.join(', ')}] holds ${tensor.data.length} values.`)
  return tensor
}

/** @throws AppError BAD_INPUT where fixed extents are not those of the graph. */
export function checkShape(graph: Graph, name: string, dims: Extents): void {
  const shape: Shape | null = graph.values.get(name)?.shape ?? null
  const fits =
    shape === null ||
    shape.length === 0 || // the runtime says [] for an unknown rank too
    (shape.length === dims.length && shape.every((dim, axis) => typeof dim !== 'number' || dim === dims[axis]))
  if (fits) return
  const wanted = shape.map((dim) => (typeof dim === 'number' ? dim : '?')).join(', ')
  throw badInput(`"${name}" takes the shape [${wanted}], found [${dims.join(', ')}].`)
}

/**
 * The compiled graph's inputs, by its names for them.
 * @throws AppError BAD_INPUT where a tensor is missing or does not fit the graph or the others.
 */
export function feedsFor(
  graph: Graph,
  compiled: CompiledInputs,
  question: Question,
): Readonly<Record<string, RuntimeTensor>> {
  const given: Record<string, Tensor> = { ...question.feeds, ...question.from }
  const feeds: Record<string, RuntimeTensor> = {}
  for (const name of compiled.feeds) feeds[name] = toRuntime(checkedTensor(graph, name, given[name]))
  for (const [output, name] of compiled.cotangents) {
    const weights = question.gradient?.of[output]
    if (weights !== undefined && !('kind' in weights)) feeds[name] = toRuntime(checkedTensor(graph, output, weights))
  }
  const { shared, perRow } = question.formulas ?? {}
  for (const [name, input] of compiled.given) {
    const tensor = perRow?.[name] ?? shared?.[name]
    if (tensor !== undefined) feeds[input] = toRuntime(tensor)
  }
  feedReference(graph, compiled, question, feeds)
  checkRows(compiled, feeds)
  if (compiled.cotangents.size + Object.keys(computedWeights(question.gradient?.of)).length > 0)
    checkSymbols(graph, compiled.feeds, feeds)
  return feeds
}

/** Each tensor of the reference has one row, or as many as the question. */
function feedReference(
  graph: Graph,
  { references, cotangents, feeds: own }: CompiledInputs,
  { gradient }: Question,
  feeds: Record<string, RuntimeTensor>,
): void {
  const { feeds: inputs = {}, from = {} } = gradient?.rules?.reference ?? {}
  const [rows] = [...cotangents.values(), ...own].map((name) => feeds[name]?.dims[0])
  for (const [name, input] of references) {
    const tensor = checkedTensor(graph, name, from[name] ?? inputs[name])
    if (tensor.dims[0] !== 1 && rows !== undefined && tensor.dims[0] !== rows)
      throw badInput(
        `The reference of "${name}" has ${tensor.dims[0]} rows, the question ${rows}. Give one row, or as many.`,
      )
    feeds[input] = toRuntime(tensor)
  }
}

/** The compiled graph says so where several of its inputs have the same rows: then they must. */
function checkRows({ sameRows }: CompiledInputs, feeds: Readonly<Record<string, RuntimeTensor>>): void {
  const [first = '', ...others] = sameRows
  const rows = feeds[first]?.dims[0]
  for (const name of others) {
    const found = feeds[name]?.dims[0]
    if (found !== rows)
      throw badInput(`${spoken(first)} has ${rows} rows, ${spoken(name)} ${found}. Give as many of each.`)
  }
}

/** Extents that the file calls by one name are one in the gradient: ONNX Runtime would broadcast them instead. */
function checkSymbols(graph: Graph, names: readonly string[], feeds: Readonly<Record<string, RuntimeTensor>>): void {
  const known = new Map<string, { readonly name: string; readonly extent: number }>()
  // As declared: where the file has no name, extents that were equal in a probe may share one.
  for (const { name, shape } of graph.inputs.filter((one) => names.includes(one.name)))
    for (const [axis, dim] of (shape ?? []).entries()) {
      const extent = feeds[name]?.dims[axis]
      if (typeof dim !== 'string' || extent === undefined) continue
      const first = known.get(dim) ?? { name, extent }
      known.set(dim, first)
      if (first.extent !== extent)
        throw badInput(
          `The model says "${dim}" of an extent of "${first.name}" and of "${name}", found ${first.extent} and ${extent}. For a gradient give as many of each.`,
        )
    }
}

/** `the cotangent of "logits"`: how errors name an input of a compiled graph. */
function spoken(input: string): string {
  const [, role, name] = /^limelight:(cotangent|given)\/(.*)$/s.exec(input) ?? []
  return role === undefined ? `"${input}"` : role === 'cotangent' ? `the cotangent of "${name}"` : `"${name}"`
}
