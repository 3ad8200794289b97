// Everything a fresh clone needs before it can start or be tested, each step once: a step is skipped while the files it
// depends on are unchanged. Plain JavaScript with Node's own modules only, since it runs before anything is installed.
import { spawn } from 'node:child_process'
import { createHash } from 'node:crypto'
import {
  existsSync,
  lstatSync,
  mkdirSync,
  readFileSync,
  readdirSync,
  readlinkSync,
  statSync,
  writeFileSync,
} from 'node:fs'
import { dirname, join, relative } from 'node:path'
import { fileURLToPath } from 'node:url'

export const ROOT = dirname(dirname(fileURLToPath(import.meta.url)))
const STAMPS = join(ROOT, '.limelight')
const OLDEST_NODE = [20, 19]
const HEARTBEAT_MS = 20_000

/** Prints one line and ends the process with a failure. */
export function giveUp(line) {
  process.stderr.write(`limelight: ${line}\n`)
  process.exit(1)
}

export function checkNode(version = process.versions.node) {
  const [major = 0, minor = 0] = version.split('.').map(Number)
  const [needMajor, needMinor] = OLDEST_NODE
  if (major > needMajor || (major === needMajor && minor >= needMinor)) return
  giveUp(`Node ${version} is too old; install Node ${needMajor}.${needMinor} or later and run this again.`)
}

/** The environment for every child: no telemetry, no downloads outside the package registry. */
export function toolEnvironment() {
  return {
    ...process.env,
    NEXT_TELEMETRY_DISABLED: '1',
    // onnxruntime-node ships its CPU binaries; its install script would fetch CUDA ones from elsewhere.
    ONNXRUNTIME_NODE_INSTALL: process.env.ONNXRUNTIME_NODE_INSTALL ?? 'skip',
    // Prisma 7 needs no engine binary for what we do, but downloads one unless this names an existing file.
    PRISMA_SCHEMA_ENGINE_BINARY: process.env.PRISMA_SCHEMA_ENGINE_BINARY ?? process.execPath,
    PRISMA_HIDE_UPDATE_MESSAGE: '1',
    CHECKPOINT_DISABLE: '1',
    PLAYWRIGHT_SKIP_BROWSER_DOWNLOAD: '1',
  }
}

/** Installing empties `node_modules` first: through a link that would be somebody else's. */
export function checkOwn(modules = join(ROOT, 'node_modules')) {
  if (!lstatSync(modules, { throwIfNoEntry: false })?.isSymbolicLink()) return
  giveUp(
    `node_modules is a link to ${readlinkSync(modules)}, and installing would empty that folder. Remove the link and run this again, or install there.`,
  )
}

/** Runs a command quietly; on failure shows the end of what it said. */
function runQuietly(command, args) {
  return new Promise((resolve, reject) => {
    const child = spawn(command, args, { cwd: ROOT, env: toolEnvironment(), stdio: ['ignore', 'pipe', 'pipe'] })
    let said = ''
    const listen = (chunk) => {
      said = (said + chunk.toString()).slice(-20_000)
    }
    child.stdout.on('data', listen)
    child.stderr.on('data', listen)
    child.on('error', reject)
    child.on('close', (code) => {
      if (code === 0) return resolve(said)
      const shown = [command.replace(/^.*[\\/]/, ''), ...args.map((arg) => relative(ROOT, arg) || arg)].join(' ')
      reject(new Error(`\`${shown}\` failed (exit ${code}):\n${said.trim().split('\n').slice(-40).join('\n')}`))
    })
  })
}

function filesUnder(path) {
  if (!existsSync(path)) return []
  if (statSync(path).isFile()) return [path]
  return readdirSync(path, { withFileTypes: true })
    .filter((entry) => entry.name !== 'generated' && entry.name !== 'node_modules')
    .flatMap((entry) => filesUnder(join(path, entry.name)))
    .sort()
}

function fingerprint(inputs) {
  const hash = createHash('sha256').update(process.versions.node.split('.')[0] ?? '')
  for (const input of inputs) {
    for (const file of filesUnder(join(ROOT, input))) hash.update(relative(ROOT, file)).update(readFileSync(file))
  }
  return hash.digest('hex')
}

/** One step of the set-up: skipped when its inputs' fingerprint is the stamped one and what it makes is there. */
async function step({ name, doing, inputs, makes, run }) {
  const stamp = join(STAMPS, name)
  const print = fingerprint(inputs)
  const done = existsSync(stamp) && readFileSync(stamp, 'utf8') === print && existsSync(join(ROOT, makes))
  if (done) return
  process.stdout.write(`${doing} ...\n`)
  const start = Date.now()
  const seconds = () => Math.round((Date.now() - start) / 1000)
  const heartbeat = setInterval(
    () => process.stdout.write(`  still ${doing.toLowerCase()}: ${seconds()} s\n`),
    HEARTBEAT_MS,
  )
  try {
    await run()
  } finally {
    clearInterval(heartbeat)
  }
  mkdirSync(STAMPS, { recursive: true })
  writeFileSync(stamp, print)
  process.stdout.write(`  done in ${seconds()} s\n`)
}

const bin = (file) => join(ROOT, 'node_modules', file)
const npm = process.platform === 'win32' ? 'npm.cmd' : 'npm'

const STEPS = {
  install: {
    name: 'install',
    doing: 'Installing dependencies from the lockfile',
    inputs: ['package-lock.json', 'package.json'],
    makes: 'node_modules/next/package.json',
    run: () => {
      checkOwn()
      return runQuietly(npm, [
        'ci',
        '--include=dev',
        '--include=optional',
        '--no-audit',
        '--no-fund',
        '--loglevel=error',
      ])
    },
  },
  database: {
    name: 'database',
    doing: 'Generating the database client',
    inputs: ['prisma/schema.prisma', 'prisma.config.ts', 'package-lock.json'],
    makes: 'prisma/generated',
    run: () => runQuietly(process.execPath, [bin('prisma/build/index.js'), 'generate']),
  },
  documents: {
    name: 'documents',
    doing: 'Generating types for the GraphQL documents',
    inputs: ['schema.graphql', 'codegen.ts', 'app', 'package-lock.json'],
    makes: 'app/_graphql/generated',
    run: () => runQuietly(process.execPath, [bin('@graphql-codegen/cli/esm/bin.js'), '--config', 'codegen.ts']),
  },
  server: {
    name: 'server',
    doing: 'Bundling the server',
    inputs: ['server', 'lib', 'prisma/schema.prisma', 'package-lock.json'],
    makes: 'dist/main.js',
    run: () => runQuietly(process.execPath, ['--import', 'tsx', join(ROOT, 'server/build.ts')]),
  },
  pages: {
    name: 'pages',
    doing: 'Building the pages',
    inputs: ['app', 'public', 'schema.graphql', 'next.config.js', 'tsconfig.json', 'package-lock.json'],
    makes: '.next/BUILD_ID',
    run: () => runQuietly(process.execPath, [bin('next/dist/bin/next'), 'build']),
  },
}

/** Brings a clone to the point where the server can start; says what it does, skips what is done. */
export async function setUp(names = Object.keys(STEPS)) {
  checkNode()
  for (const name of names) {
    try {
      await step(STEPS[name])
    } catch (error) {
      giveUp(`${STEPS[name].doing} did not work.\n${error.message}`)
    }
  }
}

if (process.argv[1] === fileURLToPath(import.meta.url)) await setUp()
