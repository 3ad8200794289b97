// `npm test`: sets up what is missing, runs unit, integration and browser tests, and ends with one count.
// `npm test -- unit` (or integration, browser) runs a part.
import { spawn } from 'node:child_process'
import { existsSync, mkdirSync, readFileSync, rmSync } from 'node:fs'
import { join } from 'node:path'
import { ensureChromium } from './chromium.mjs'
import { ROOT, giveUp, setUp, toolEnvironment } from './setup.mjs'

const SUITES = ['unit', 'integration', 'browser']
const asked = process.argv.slice(2)
const unknown = asked.filter((name) => !SUITES.includes(name))
if (unknown.length > 0) giveUp(`no test suite ${unknown.join(', ')}; there are ${SUITES.join(', ')}.`)
const suites = asked.length > 0 ? asked : SUITES

await setUp()
let chromium = ''
if (suites.includes('browser')) {
  try {
    chromium = ensureChromium()
  } catch (error) {
    giveUp(error.message)
  }
}

const REPORTS = join(ROOT, '.limelight/reports') // not test-results: Playwright empties that
rmSync(REPORTS, { recursive: true, force: true })
mkdirSync(REPORTS, { recursive: true })
const report = (suite) => join(REPORTS, `${suite}.json`)

function run(file, args, environment) {
  return new Promise((resolve) => {
    const child = spawn(process.execPath, [join(ROOT, 'node_modules', file), ...args], {
      cwd: ROOT,
      env: { ...toolEnvironment(), ...environment },
      stdio: ['ignore', 'inherit', 'inherit'],
    })
    child.on('close', (code) => resolve(code ?? 1))
  })
}

const runVitest = (suite) =>
  run('vitest/vitest.mjs', [
    'run',
    '--project',
    suite,
    '--reporter=default',
    '--reporter=json',
    `--outputFile.json=${report(suite)}`,
  ])

const runPlaywright = () =>
  run('@playwright/test/cli.js', ['test', '--reporter=list,json'], {
    PLAYWRIGHT_JSON_OUTPUT_NAME: report('browser'),
    PLAYWRIGHT_JSON_OUTPUT_FILE: report('browser'),
    LIMELIGHT_CHROMIUM: chromium,
  })

/** The counts of a finished suite; a suite that wrote no report failed as a whole. */
function count(suite, exitCode) {
  if (!existsSync(report(suite))) return { passed: 0, failed: 1, skipped: 0 }
  const written = JSON.parse(readFileSync(report(suite), 'utf8'))
  const counts =
    suite === 'browser'
      ? {
          passed: written.stats.expected,
          failed: written.stats.unexpected + written.stats.flaky,
          skipped: written.stats.skipped,
        }
      : {
          passed: written.numPassedTests,
          failed: written.numFailedTests,
          skipped: written.numPendingTests + written.numTodoTests,
        }
  // A file that does not load, or an error outside any test, fails the suite without failing a test.
  if (exitCode !== 0 && counts.failed === 0) counts.failed = 1
  if (exitCode === 0 && counts.passed === 0) counts.failed = 1
  return counts
}

const total = { passed: 0, failed: 0, skipped: 0 }
for (const suite of suites) {
  process.stdout.write(`\n== ${suite} tests ==\n`)
  const code = await (suite === 'browser' ? runPlaywright() : runVitest(suite))
  const counts = count(suite, code)
  for (const key of Object.keys(total)) total[key] += counts[key]
}
process.stdout.write(`\n${total.passed} passed, ${total.failed} failed, ${total.skipped} skipped\n`)
process.exit(total.failed === 0 ? 0 : 1)
