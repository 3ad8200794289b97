/** A network that export.py wrote: a model, its inputs, and what PyTorch's autograd says about it. */
import { readFile } from 'node:fs/promises'
import { join } from 'node:path'
import { z } from 'zod'
import type { ExplainableModel } from '../../lib/engine/model.ts'
import { float32, int64, sizeOf, type FloatTensor, type Tensor } from '../../lib/tensor/tensor.ts'

const placed = z.object({ dims: z.array(z.number().int()), offset: z.number().int() })
const input = z.union([
  placed.extend({ name: z.string(), type: z.literal('float32') }),
  z.object({
    name: z.string(),
    type: z.literal('int64'),
    dims: z.array(z.number().int()),
    values: z.array(z.number().int()),
  }),
])
const question = z.object({
  kind: z.enum(['input', 'embedding', 'inner']),
  tap: z.string(),
  /** The PyTorch module whose output it is; '' for the input. */
  module: z.string(),
  /** Largest difference between PyTorch's own 32- and 64-bit gradients, in units of the largest. */
  condition: z.number(),
  value: placed.nullable(),
  gradient: placed,
})
const origin = {
  network: z.string(),
  exporter: z.enum(['torchscript', 'dynamo']),
  opset: z.number().int(),
  versions: z.record(z.string(), z.string()),
}
const manifest = z.object({
  ...origin,
  seed: z.number().int(),
  script: z.string(),
  notes: z.array(z.string()),
  model: z.string(),
  data: z.string(),
  inputs: z.array(input),
  logits: placed.extend({ tap: z.string(), condition: z.number() }),
  cotangent: placed,
  questions: z.array(question),
  operators: z.record(z.string(), z.number()),
})
const refusal = z.object({ ...origin, refused: z.string() })

type Manifest = z.infer<typeof manifest>
export type Refusal = z.infer<typeof refusal>

export interface Network {
  readonly manifest: Manifest
  /** Where the .onnx file lies. */
  readonly path: string
  readonly feeds: Readonly<Record<string, Tensor>>
  /** [N, K] */
  readonly cotangent: FloatTensor
  readonly logits: FloatTensor
  readonly questions: readonly {
    readonly kind: Manifest['questions'][number]['kind']
    readonly tap: string
    readonly value: FloatTensor | null
    readonly gradient: FloatTensor
  }[]
}

/** Reads FOLDER/STEM.json and the data it names; the exporter's refusal where there is no model. */
export async function readNetwork(folder: string, stem: string): Promise<Network | Refusal> {
  const json: unknown = JSON.parse(await readFile(join(folder, `${stem}.json`), 'utf8'))
  const refused = refusal.safeParse(json)
  if (refused.success) return refused.data
  const found = manifest.parse(json)
  const bytes = await readFile(join(folder, found.data))
  const tensor = ({ dims, offset }: z.infer<typeof placed>): FloatTensor => {
    const data = new Float32Array(sizeOf(dims))
    for (let index = 0; index < data.length; index++) data[index] = bytes.readFloatLE(offset + 4 * index)
    return float32(data, dims)
  }
  return {
    manifest: found,
    path: join(folder, found.model),
    feeds: Object.fromEntries(
      found.inputs.map((one) => [one.name, one.type === 'int64' ? int64(one.values, one.dims) : tensor(one)]),
    ),
    cotangent: tensor(found.cotangent),
    logits: tensor(found.logits),
    questions: found.questions.map((one) => ({
      kind: one.kind,
      tap: one.tap,
      value: one.value && tensor(one.value),
      gradient: tensor(one.gradient),
    })),
  }
}

export interface Difference {
  /** 'logits', 'value of TAP' or 'gradient at TAP'. */
  readonly what: string
  /** Largest absolute difference, in units of the golden's largest value; Infinity for another shape. */
  readonly error: number
}

/** The largest absolute difference between two tensors, in units of the largest expected value. */
function relativeError(found: FloatTensor | undefined, expected: FloatTensor): number {
  if (found === undefined || found.dims.join() !== expected.dims.join()) return Infinity
  let [difference, scale] = [0, 0]
  expected.data.forEach((value, index) => {
    const distance = Math.abs((found.data[index] ?? NaN) - value)
    if (!(distance <= difference)) difference = Number.isNaN(distance) ? Infinity : distance
    scale = Math.max(scale, Math.abs(value))
  })
  return difference / Math.max(scale, 1e-30)
}

/** Asks a model everything there is a golden for, in one question. @throws AppError as `ask` does. */
export async function compare(model: ExplainableModel, network: Network): Promise<Difference[]> {
  const inner = network.questions.filter((one) => one.value !== null)
  const answer = await model.ask({
    feeds: network.feeds,
    read: [model.logits, ...inner.map((one) => one.tap)],
    gradient: { of: { [model.logits]: network.cotangent }, wrt: network.questions.map((one) => one.tap) },
  })
  return [
    { what: 'logits', error: relativeError(answer.values[model.logits], network.logits) },
    ...inner.flatMap(({ tap, value }) =>
      value === null ? [] : [{ what: `value of ${tap}`, error: relativeError(answer.values[tap], value) }],
    ),
    ...network.questions.map(({ tap, gradient }) => ({
      what: `gradient at ${tap}`,
      error: relativeError(answer.gradients[tap], gradient),
    })),
  ]
}
