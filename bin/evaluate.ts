/**
 * `npm run evaluate`: measures through the product's own engine and preprocessing, on the data in LIMELIGHT_DATA (default
 * ../shared/data). A line of JSON a figure on standard output; progress on standard error.
 *
 *     npm run evaluate -- <model> [--limit N] [--threads N]           a bundled model's accuracy, a line a data set
 *     npm run evaluate -- quality [part ...] [--methods a,b] [--limit N] [--seed N] [--threads N] [--out FILE] [--write]
 *
 * Quality: what each method's explanations are worth against what people marked, a line a method, kept in docs/quality.jsonl;
 * figures that are there are not measured again. --write makes the tables of docs/ of them, as `npm run document` does.
 */
import { accuracy } from '../bench/accuracy.ts'
import { quality } from '../bench/quality/main.ts'
import { AppError } from '../lib/errors.ts'

const [first, ...rest] = process.argv.slice(2)
try {
  await (first === 'quality' ? quality(rest) : accuracy(process.argv.slice(2)))
} catch (thrown) {
  process.stderr.write(`evaluate: ${AppError.from(thrown).message}\n`)
  process.exitCode = 1
}
