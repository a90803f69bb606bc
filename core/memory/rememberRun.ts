import type { Deps } from '../deps.ts'
import type { Sql } from '../storage/sql.ts'
import { failureMemories } from './failureMemories.ts'
import { readPastFailures, readPastRun, readPastSteps } from './pastRun.ts'
import { rememberStrategies } from './rememberStrategies.ts'
import { storeMemory } from './storeMemory.ts'
import { hasEnded, taskMemory } from './taskMemory.ts'

/**
 * What is remembered of a run that has ended: what it came to, what failed, and what mended that; in the transaction of
 * the caller. The same run again gives the same memories.
 */
export async function rememberRun(
  deps: Pick<Deps, 'redact'>,
  tx: Sql,
  runId: string,
  at: Date,
): Promise<void> {
  const run = await readPastRun(tx, runId)
  if (!run || run.source?.kind === 'look' || !hasEnded(run)) return
  const steps = await readPastSteps(tx, runId)
  const failures = await readPastFailures(tx, runId)
  const task = taskMemory(run, steps, at)
  for (const memory of [...(task ? [task] : []), ...failureMemories(run, failures)])
    await storeMemory(deps, tx, memory)
  await rememberStrategies(deps, tx, run, steps)
}
