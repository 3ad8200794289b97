/** A hundred damaged, lying and hostile files: a clear error each, or a model that works; never a crash or a hang. */
import { mkdtemp, mkdir, rm, symlink, writeFile } from 'node:fs/promises'
import { readFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import path from 'node:path'
import { create, fromBinary, toBinary } from '@bufbuild/protobuf'
import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import { AppError } from '../../../../../lib/errors.ts'
import { floatConstant } from '../../../../../lib/engine/onnx/graph/constant.ts'
import { DataType } from '../../../../../lib/engine/onnx/graph/graph.ts'
import { loadOnnxModel } from '../../../../../lib/engine/onnx/model/load.ts'
import {
  AttributeProto_AttributeType,
  AttributeProtoSchema,
  GraphProtoSchema,
  ModelProtoSchema,
  NodeProtoSchema,
  StringStringEntryProtoSchema,
  TensorProto_DataLocation,
  type ModelProto,
} from '../../../../../lib/engine/onnx/file/proto/onnx_pb.ts'
import { writeModel } from '../../../../../lib/engine/onnx/file/write-model.ts'
import { graphOf, node } from '../../../../helpers/operator-model.ts'
import { seeded } from '../../../../helpers/random.ts'

const fixture = readFileSync(new URL('../../../../fixtures/networks/mobilenet-v2.onnx', import.meta.url))
let folder = ''
beforeAll(async () => {
  folder = await mkdtemp(path.join(tmpdir(), 'limelight-malformed-'))
})
afterAll(() => rm(folder, { recursive: true, force: true }))

/** The error of loading these bytes; null when they load. */
async function errorOf(bytes: Uint8Array, name = 'model.onnx'): Promise<AppError | null> {
  const file = path.join(folder, name)
  await writeFile(file, bytes)
  try {
    await (await loadOnnxModel(file, { threads: 1 })).dispose()
    return null
  } catch (thrown) {
    expect(thrown).toBeInstanceOf(AppError)
    return thrown as AppError
  }
}

function changed(change: (model: ModelProto) => void): Uint8Array {
  const model = fromBinary(ModelProtoSchema, fixture)
  change(model)
  return toBinary(ModelProtoSchema, model)
}

async function expectBad(bytes: Uint8Array, words: RegExp): Promise<void> {
  const error = await errorOf(bytes)
  expect(error?.code).toBe('BAD_MODEL')
  expect(error?.message).toMatch(words)
}

test('the unchanged file loads', async () => {
  expect(await errorOf(fixture)).toBeNull()
})

describe('named faults', () => {
  test('empty', () => expectBad(new Uint8Array(), /no graph/))
  test('text', () => expectBad(new TextEncoder().encode('<html>not found</html>'), /not an ONNX model|no graph/))
  test('no operator set', () =>
    expectBad(
      changed((model) => (model.opsetImport = [])),
      /operator set/,
    ))
  test('operator set 3', () =>
    expectBad(
      changed((model) => model.opsetImport.forEach((one) => (one.version = 3n))),
      /too old/,
    ))
  test('a cycle', () => {
    const inputs = [{ name: 'x', type: DataType.float, shape: [1] }]
    const nodes = [node('Add', ['x', 'b'], ['a']), node('Relu', ['a'], ['b'])]
    return expectBad(writeModel(graphOf({ nodes, inputs, outputs: ['b'], constants: new Map() })), /cycle/)
  })
  test('a tensor nobody makes', () => {
    const inputs = [{ name: 'x', type: DataType.float, shape: [1] }]
    const nodes = [node('Add', ['x', 'lost'], ['y'])]
    return expectBad(writeModel(graphOf({ nodes, inputs, outputs: ['y'], constants: new Map() })), /nothing makes/)
  })
  test('a tensor made twice', () => {
    const inputs = [{ name: 'x', type: DataType.float, shape: [1] }]
    const nodes = [node('Relu', ['x'], ['y']), node('Abs', ['x'], ['y'])]
    return expectBad(writeModel(graphOf({ nodes, inputs, outputs: ['y'], constants: new Map() })), /Two nodes/)
  })
  test('shapes that do not fit', () => {
    const inputs = [{ name: 'x', type: DataType.float, shape: [2, 3] }]
    const nodes = [node('MatMul', ['x', 'w'], ['y'])]
    const constants = new Map([['w', floatConstant(new Float32Array(8), [4, 2])]])
    return expectBad(writeModel(graphOf({ nodes, inputs, outputs: ['y'], constants })), /refuses/)
  })
  test('an operator that does not exist', () => {
    const inputs = [{ name: 'x', type: DataType.float, shape: [2] }]
    const nodes = [node('Telepathy', ['x'], ['y'])]
    return expectBad(writeModel(graphOf({ nodes, inputs, outputs: ['y'], constants: new Map() })), /refuses/)
  })
  test.each(['at the top', 'inside an If'])('a loop without end, %s', (place) => {
    const body = create(GraphProtoSchema, {
      node: [create(NodeProtoSchema, { opType: 'Identity', input: ['c'], output: ['d'] })],
    })
    const loop = create(NodeProtoSchema, {
      name: 'forever',
      opType: 'Loop',
      input: ['', 'c', 'x'],
      output: ['y'],
      attribute: [create(AttributeProtoSchema, { name: 'body', type: AttributeProto_AttributeType.GRAPH, g: body })],
    })
    const branch = create(GraphProtoSchema, { node: [loop] })
    const choice = create(NodeProtoSchema, {
      opType: 'If',
      input: ['c'],
      output: ['y'],
      attribute: [
        create(AttributeProtoSchema, { name: 'then_branch', type: AttributeProto_AttributeType.GRAPH, g: branch }),
      ],
    })
    return expectBad(
      changed((model) => model.graph?.node.push(place === 'at the top' ? loop : choice)),
      /Loop \("forever"\).*without control flow/,
    )
  })
  test('a weight that claims 2^62 values', () =>
    expectBad(
      changed((model) => {
        const weight = model.graph?.initializer[0]
        if (weight) weight.dims = [2n ** 31n, 2n ** 31n]
      }),
      /claims|damaged/,
    ))
  test('a weight with fewer bytes than its shape', () =>
    expectBad(
      changed((model) => {
        const weight = model.graph?.initializer.find((one) => one.rawData.length > 8)
        if (weight) weight.rawData = weight.rawData.slice(0, -4)
      }),
      /needs \d+ bytes, found/,
    ))
  test('a negative extent', () =>
    expectBad(
      changed((model) => {
        const weight = model.graph?.initializer[0]
        if (weight) weight.dims = weight.dims.map((dim) => -dim)
      }),
      /damaged/,
    ))
})

describe('external data', () => {
  const pointing = (location: string, offset?: string): Uint8Array =>
    changed((model) => {
      const weight = model.graph?.initializer.find((one) => one.rawData.length > 64)
      if (weight === undefined) return
      weight.rawData = new Uint8Array()
      weight.dataLocation = TensorProto_DataLocation.EXTERNAL
      const entries = Object.entries({ location, ...(offset === undefined ? {} : { offset }) })
      weight.externalData = entries.map(([key, value]) => create(StringStringEntryProtoSchema, { key, value }))
    })
  test('outside the folder', () => expectBad(pointing('../secret.bin'), /outside/))
  test('an absolute path', () => expectBad(pointing('/etc/hostname'), /outside/))
  test('a missing file', () => expectBad(pointing('weights.bin'), /missing/))
  test('a link out of the folder', async () => {
    await symlink('/etc/hostname', path.join(folder, 'link.bin'))
    await expectBad(pointing('link.bin'), /outside/)
  })
  test('a folder', async () => {
    await mkdir(path.join(folder, 'directory.bin'))
    await expectBad(pointing('directory.bin'), /not a file/)
  })
  test('a short file', async () => {
    await writeFile(path.join(folder, 'short.bin'), new Uint8Array(4))
    await expectBad(pointing('short.bin'), /has 4 bytes/)
  })
  test.each(['abc', '-4', '1e400', '0.5'])('an offset %s', async (offset) => {
    await writeFile(path.join(folder, 'offset.bin'), new Uint8Array(4))
    await expectBad(pointing('offset.bin', offset), /its offset or length is not a whole number/)
  })
})

test('a hundred seeded mutations: an AppError or a model, never anything else', async () => {
  const next = seeded(2024)
  const outcomes = { bad: 0, loaded: 0 }
  for (let round = 0; round < 100; round++) {
    let bytes = Uint8Array.from(fixture)
    const kind = round % 4
    if (kind === 0) bytes = bytes.slice(0, Math.floor(next() * bytes.length))
    else if (kind === 1)
      for (let hit = 0; hit < 8; hit++) bytes[Math.floor(next() * bytes.length)] = Math.floor(next() * 256)
    else if (kind === 2) {
      const [from, to] = [Math.floor(next() * bytes.length), Math.floor(next() * bytes.length)]
      bytes.copyWithin(from, to, to + 64)
    } else
      bytes = Uint8Array.from(
        changed((model) => {
          const nodes = model.graph?.node ?? []
          const one = nodes[Math.floor(next() * nodes.length)]
          const other = nodes[Math.floor(next() * nodes.length)]
          if (!one || !other) return
          if (next() < 0.5) one.input = [...other.output, ...one.input.slice(1)]
          else [one.opType, other.opType] = [other.opType, one.opType]
        }),
      )
    const error = await errorOf(bytes, `mutated-${round}.onnx`)
    if (error === null) outcomes.loaded++
    else {
      expect(['BAD_MODEL', 'UNKNOWN_LAYER'], `${round}: ${error.message}`).toContain(error.code)
      outcomes.bad++
    }
  }
  expect(outcomes.bad).toBeGreaterThan(50)
}, 120_000)
