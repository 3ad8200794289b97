/** A worker process: owns the loaded models, does one exclusive job at a time. */
// What the first job would import is there before it comes.
import '../../lib/explain.ts'
import '../../lib/methods/index.ts'
import { KINDS } from './kinds/index.ts'
import { serve } from './serve.ts'
import { openWorkerParts, readFolders } from './worker-parts.ts'

serve(KINDS, openWorkerParts(readFolders(process.argv.slice(2))))
