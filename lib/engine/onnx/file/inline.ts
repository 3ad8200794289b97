/**
 * Model-local functions written out: every call becomes the function's nodes, names made unique, attribute references
 * resolved (ONNX IR, "Functions"). What the rest of the engine reads has none.
 */
import { badModel } from '../graph/graph.ts'
import type { AttributeProto, FunctionProto, GraphProto, ModelProto, NodeProto } from './proto/onnx_pb.ts'

/** Hostile files call functions that call functions: more operators than any real model has. */
const MOST_UNFOLDED = 200_000
const DEEPEST = 100
/** Names grow with every call that is written out: long ones would fill the memory. */
const LONGEST_NAME = 4000

function normalDomain(domain: string): string {
  return domain === 'ai.onnx' ? '' : domain
}
function keyOf(domain: string, name: string, overload: string): string {
  return JSON.stringify([normalDomain(domain), name, overload])
}

/** A copy that keeps its defaults, which protobuf messages have on their prototype. */
function changed<T extends object>(message: T, changes: Partial<T>): T {
  return Object.assign(Object.create(Object.getPrototypeOf(message) as object | null) as T, message, changes)
}

/** What names and attribute references mean where a list of nodes stands. */
interface Scope {
  readonly rename: (name: string) => string
  readonly attributes: ReadonlyMap<string, AttributeProto>
  readonly call?: NodeProto
}

/** How many nodes a function becomes, and how deep its calls go. */
interface Extent {
  readonly nodes: number
  readonly depth: number
}

class Inliner {
  readonly called = new Set<FunctionProto>()
  readonly #functions: ReadonlyMap<string, FunctionProto>
  readonly #extents = new Map<FunctionProto, Extent | 'open'>()
  /** Names of tensors, and of nodes, that are used. */
  readonly #taken: Set<string>
  readonly #named: Set<string>
  readonly #counts = new Map<string, number>()

  constructor(model: ModelProto, graph: GraphProto) {
    const given = [...graph.input, ...graph.initializer].map((one) => one.name)
    this.#taken = new Set([...given, ...graph.node.flatMap((node) => node.output)])
    this.#named = new Set(graph.node.map((node) => node.name))
    this.#functions = new Map(model.functions.map((one) => [keyOf(one.domain, one.name, one.overload), one]))
  }

  #functionOf(node: NodeProto): FunctionProto | undefined {
    return this.#functions.get(keyOf(node.domain, node.opType, node.overload))
  }

  /** What these nodes become, known before any is written. @throws AppError BAD_MODEL where that is too much. */
  extent(list: readonly NodeProto[], level = 0): Extent {
    if (level > DEEPEST) throw badModel(`The model's functions call each other more than ${DEEPEST} deep.`)
    let [nodes, depth] = [list.length, 0]
    for (const node of list) {
      const subgraphs = node.attribute.flatMap((one) => (one.g ? [one.g, ...one.graphs] : one.graphs))
      const parts = subgraphs.map((one) => this.extent(one.node, level + 1))
      const called = this.#functionOf(node)
      if (called) parts.push(this.#functionExtent(called, level + 1))
      nodes += parts.reduce((sum, part) => sum + part.nodes, 0)
      depth = Math.max(depth, ...parts.map((part) => part.depth + 1))
    }
    if (depth > DEEPEST) throw badModel(`The model's functions call each other more than ${DEEPEST} deep.`)
    if (nodes > MOST_UNFOLDED)
      throw badModel(`The model's functions unfold into more than ${MOST_UNFOLDED.toLocaleString('en')} operators.`)
    return { nodes, depth }
  }

  #functionExtent(called: FunctionProto, level: number): Extent {
    const known = this.#extents.get(called)
    if (known === 'open') throw badModel(`The model's function ${called.name} calls itself.`)
    if (known) return known
    this.#extents.set(called, 'open')
    const extent = this.extent(called.node, level)
    this.#extents.set(called, extent)
    return extent
  }

  nodes(list: readonly NodeProto[], scope: Scope): NodeProto[] {
    return list.flatMap((node) => {
      const { call } = scope
      const copy = changed(node, {
        name: call ? this.#nodeName(call, node) : node.name,
        input: node.input.map(scope.rename),
        output: node.output.map(scope.rename),
        attribute: node.attribute.flatMap((one) => this.#attribute(one, scope)),
        metadataProps: node.metadataProps.length > 0 ? node.metadataProps : (call?.metadataProps ?? []),
      })
      const called = this.#functionOf(node)
      return called ? this.#call(called, copy) : [copy]
    })
  }

  #call(called: FunctionProto, call: NodeProto): NodeProto[] {
    this.called.add(called)
    const known = new Map<string, string>([['', '']])
    const place = call.output.find((name) => name !== '') ?? call.name
    const rename = (name: string): string => {
      const renamed = known.get(name) ?? this.#fresh(`${place}/${name}`)
      known.set(name, renamed)
      return renamed
    }
    for (const [index, name] of called.input.entries()) known.set(name, call.input[index] ?? '')
    const passed: NodeProto[] = []
    for (const [index, name] of called.output.entries()) {
      const target = call.output[index] ?? ''
      if (target === '') continue
      const source = known.get(name)
      if (source === undefined) known.set(name, target)
      // An input, or an output named twice: handed on as it is.
      else
        passed.push(
          changed(call, { name: '', opType: 'Identity', domain: '', input: [source], output: [target], attribute: [] }),
        )
    }
    const attributes = new Map([...called.attributeProto, ...call.attribute].map((one) => [one.name, one]))
    return [...this.nodes(called.node, { rename, attributes, call }), ...passed]
  }

  #attribute(attribute: AttributeProto, scope: Scope): AttributeProto[] {
    if (attribute.refAttrName !== '') {
      const given = scope.attributes.get(attribute.refAttrName)
      return given ? [changed(given, { name: attribute.name })] : []
    }
    if (attribute.g === undefined && attribute.graphs.length === 0) return [attribute]
    const copy = changed(attribute, { graphs: attribute.graphs.map((one) => this.#graph(one, scope)) })
    return [attribute.g ? changed(copy, { g: this.#graph(attribute.g, scope) }) : copy]
  }

  #graph(graph: GraphProto, scope: Scope): GraphProto {
    const renamed = <T extends { name: string }>(one: T): T =>
      changed<{ name: string }>(one, { name: scope.rename(one.name) }) as T
    return changed(graph, {
      node: this.nodes(graph.node, scope),
      input: graph.input.map(renamed),
      output: graph.output.map(renamed),
      initializer: graph.initializer.map(renamed),
      valueInfo: graph.valueInfo.map(renamed),
    })
  }

  /** ONNX Runtime wants the names of nodes to differ too. */
  #nodeName(call: NodeProto, node: NodeProto): string {
    const plain = `${call.name || call.opType}/${node.name || node.opType}`
    return this.#numbered(plain, this.#named)
  }

  #fresh(name: string): string {
    return this.#numbered(name, this.#taken)
  }

  /** A name that is not taken yet. Counts go on where they were: a file may ask for one name a hundred thousand times. */
  #numbered(name: string, taken: Set<string>): string {
    if (name.length > LONGEST_NAME) throw badModel(`A name in the model's functions has ${name.length} characters.`)
    let free = name
    let count = this.#counts.get(name) ?? 0
    while (taken.has(free)) free = `${name}_${++count}`
    this.#counts.set(name, count)
    taken.add(free)
    return free
  }
}

/**
 * The model without functions of its own; the same model where it has none.
 * @throws AppError BAD_MODEL for functions that call themselves, unfold without end, or use another operator set.
 */
export function inlineFunctions(model: ModelProto): ModelProto {
  const { graph } = model
  if (model.functions.length === 0 || graph === undefined) return model
  const inliner = new Inliner(model, graph)
  inliner.extent(graph.node)
  const top: Scope = { rename: (name) => name, attributes: new Map() }
  const node = inliner.nodes(graph.node, top)
  const imports = new Map(model.opsetImport.map((one) => [normalDomain(one.domain), one]))
  const own = new Set(model.functions.map((one) => normalDomain(one.domain)))
  for (const called of inliner.called)
    for (const needed of called.opsetImport) {
      const domain = normalDomain(needed.domain)
      const given = imports.get(domain)
      if (given === undefined) imports.set(domain, needed)
      else if (given.version !== needed.version && !own.has(domain))
        throw badModel(
          `The model's function ${called.name} uses version ${needed.version} of the operators ${domain || 'ai.onnx'}, the model ${given.version}. Inline it (onnx.inliner.inline_local_functions).`,
        )
    }
  const used = new Set(node.map((one) => normalDomain(one.domain)))
  const opsetImport = [...imports].filter(([domain]) => !own.has(domain) || used.has(domain)).map(([, one]) => one)
  return changed(model, { graph: changed(graph, { node }), functions: [], opsetImport })
}
