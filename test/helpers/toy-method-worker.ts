/** The worker, with a method more. */
import { explainBy } from '../../server/jobs/kinds/explain.ts'
import { KINDS } from '../../server/jobs/kinds/index.ts'
import { serve } from '../../server/jobs/serve.ts'
import { openWorkerParts, readFolders } from '../../server/jobs/worker-parts.ts'
import { WITH_TOY } from './toy-methods.ts'

const explain = explainBy(() => Promise.resolve(WITH_TOY))
serve([...KINDS.filter(({ id }) => id !== explain.id), explain], openWorkerParts(readFolders(process.argv.slice(2))))
