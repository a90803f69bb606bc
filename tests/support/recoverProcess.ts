import { recoverRun } from '../../core/recovery/recoverRun.ts'
import { openTestControl } from './control.ts'
import { scriptedModel } from './scriptedModel.ts'

/*
 * A worker that carries out the open step of one run in a process of its own, to be killed at a failpoint: DATABASE and
 * RUN name them, ANSWER is what its model says.
 */

const model = scriptedModel()
model.push(JSON.parse(process.env.ANSWER ?? '{}'))
const control = await openTestControl({ databaseUrl: process.env.DATABASE ?? '', model })
await recoverRun(control.deps, process.env.RUN ?? '', new AbortController().signal)
await control.close()
process.exit(0)
