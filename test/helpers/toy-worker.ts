/** The worker as it is, with one more kind in its list. */
import { KINDS } from '../../server/jobs/kinds/index.ts'
import { serve } from '../../server/jobs/serve.ts'
import { openWorkerParts, readFolders } from '../../server/jobs/worker-parts.ts'
import { toyKind } from './toy-kind.ts'

serve([...KINDS, toyKind], openWorkerParts(readFolders(process.argv.slice(2))))
