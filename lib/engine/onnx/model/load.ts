/** Loads an ONNX file as a model that can be asked. */
import { createRequire } from 'node:module'
import { env } from 'onnxruntime-node'
import { AppError } from '../../../errors.ts'
import type { ExplainableModel, RandomWeights } from '../../model.ts'
import type { TapId } from '../../tap-id.ts'
import { badModel, DataType, type Graph } from '../graph/graph.ts'
import { OnnxModel } from './onnx-model.ts'
import { readModelFile } from '../file/read-model.ts'
import { operatorOf } from '../operators/operator-of.ts'
import { typeName } from '../run/runtime.ts'
import type { StatedHead } from '../../head.ts'
import { withAttentionSeen } from './attention.ts'
import { mapNote, sensibleTap } from './defaults.ts'
import { findHead } from './head.ts'
import { layoutsOf } from './layouts.ts'
import { withMapsSeen } from './maps.ts'
import { embeddingsOf, wordsAmong } from './embeddings.ts'
import { findTaps } from './taps.ts'
import { RULE_SETS } from '../gradient/rule-sets/index.ts'
import type { RuleSetDefinition } from '../gradient/rule-sets/rule-set.ts'
import { withPictureFirst } from '../prepare/picture-input.ts'
import { prepareGraph } from '../prepare/prepare-graph.ts'
import { withRandomWeights } from '../prepare/randomise.ts'
import { precisionNote } from '../prepare/widen.ts'

export interface OnnxOptions {
  /** The tap that methods use when none is chosen; found by itself where left out. */
  readonly defaultTap?: TapId
  /** What the model's card says of its head; left out, the graph alone is looked at. */
  readonly head?: StatedHead
  /** Threads of ONNX Runtime; 0, the default: its own choice. */
  readonly threads?: number
  /** Bytes of compiled questions kept; 1 GiB by default. */
  readonly cacheBytes?: number
  /** Its last layers with random weights in place of what they learnt. */
  readonly randomWeights?: RandomWeights
  /** The rule sets that questions may name; those of the engine's own list by default. 'plain' must be among them. */
  readonly ruleSets?: readonly RuleSetDefinition[]
}

/**
 * Reads, checks and prepares an ONNX model.
 * @throws AppError BAD_MODEL for files that are damaged or that ONNX Runtime refuses, and for heads that do not
 *   fit the card; UNKNOWN_MODEL when there is no file;
 *   UNKNOWN_LAYER when `defaultTap` is not a tap of it.
 */
export async function loadOnnxModel(path: string, options: OnnxOptions = {}): Promise<ExplainableModel> {
  const learnt = await prepareGraph(withPictureFirst(await readModelFile(path)))
  const { randomWeights } = options
  const prepared = randomWeights === undefined ? learnt : withRandomWeights(learnt, randomWeights)
  refuseInputs(prepared)
  const { graph: plain, logits, link, linkBasis } = findHead(prepared, options.head)
  const graph = seen(plain)
  const taps = findTaps(graph, logits)
  const defaultTap = options.defaultTap ?? sensibleTap(taps, wordsAmong(embeddingsOf(graph)))
  if (!taps.some((tap) => tap.id === defaultTap))
    throw new AppError({
      code: 'UNKNOWN_LAYER',
      message: `The model has no layer "${defaultTap}".`,
      details: { layer: defaultTap },
    })
  return new OnnxModel({
    graph,
    taps,
    logits,
    link,
    linkBasis,
    defaultTap,
    engine: {
      name: 'onnx',
      backend: 'cpu',
      version: runtimeVersion(),
      reason: notesOn(graph, mapNote(graph, taps, defaultTap)),
    },
    ruleSets: options.ruleSets ?? RULE_SETS,
    settings: { threads: options.threads ?? 0, cacheBytes: options.cacheBytes ?? 2 ** 30 },
  })
}

const FED: readonly number[] = [0, DataType.float, DataType.int64, DataType.int32, DataType.bool]

/** @throws AppError BAD_MODEL for an input of a type that questions cannot feed. */
function refuseInputs(graph: Graph): void {
  for (const { name, type } of graph.inputs)
    if (!FED.includes(type))
      throw badModel(
        `Its input "${name}" takes ${typeName(type)}; inputs are fed as float32, int64, int32 or bool. Export it with one of these, a picture as float32.`,
      )
}

/** ONNX Runtime is asked for nothing else ({@link createSession}). */
const WHY_CPU = "ONNX Runtime's CPU provider is part of every installation."

function notesOn(graph: Graph, onMaps: string): string {
  return [WHY_CPU, quantisationNote(graph), precisionNote(graph), onMaps].filter((note) => note !== '').join(' ')
}

/** What a reader of gradients must know about a quantised model; '' for any other. */
export function quantisationNote(graph: Graph): string {
  if (!graph.nodes.some((node) => operatorOf(node).rule?.carriesIntegers)) return ''
  const saturates = graph.nodes.some((node) => node.operator === 'QuantizeLinear')
  return `Quantised model: gradients are those of the float model on its dequantised weights${saturates ? ', and 0 where a quantised value saturates' : ''}.`
}

/** A prepared graph with its maps and attention weights. */
export function seen(graph: Graph): Graph {
  const layouts = layoutsOf(graph)
  return withAttentionSeen(withMapsSeen(graph, layouts), layouts)
}

function runtimeVersion(): string {
  const known = env.versions.node
  if (known !== undefined) return known
  const { version } = createRequire(import.meta.url)('onnxruntime-node/package.json') as { version: string }
  return version
}
