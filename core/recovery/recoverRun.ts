import type { Deps } from '../deps.ts'
import { isWorkerStopping } from '../queue/stopReason.ts'
import { tellFault } from '../storage/tellFault.ts'
import { commitWay, endStep, isWanted, switchedOff } from './commitWay.ts'
import type { RecoverDeps, Taken } from './deps.ts'
import { findWay, nothingSpent, type Way } from './findWay.ts'
import { type Case, readCase } from './readCase.ts'
import { recoveryMode } from './recoveryMode.ts'

/** How long a worker holds a step, renewed while it lives; one that died is followed by another after that. */
const LEASE_MS = 10_000
const MAX_TRIES = 3

/**
 * Carries out the next step that is open for a run: finds a way (by a rule, or by asking a model) and makes it the next
 * version of the plan, of which new steps are judged and, where policy asks, held. Safe to call twice at once: the
 * second finds the step taken. A run that is paused, cancelled or locked down is left alone. `signal`: the worker stops;
 * the question is broken off, and another worker has the step at once.
 */
export async function recoverRun(
  deps: RecoverDeps,
  runId: string,
  signal: AbortSignal,
): Promise<'done' | 'none'> {
  const taken = await takeStep(deps, runId)
  if (!taken) return 'none'
  if (taken.tries > MAX_TRIES) {
    await deps.db.tx((tx) => endStep(deps, tx, runId, taken, { cameOf: 'too_often' }))
    return 'done'
  }
  const gone = new AbortController()
  let asking = false
  const keep = async (): Promise<void> => {
    if (asking) return
    asking = true
    if (!(await hold(deps, taken))) gone.abort()
    asking = false
  }
  const lease = setInterval(() => void keep(), LEASE_MS / 3)
  const unsubscribe = deps.bus.subscribe('run.changed', (told) => {
    if (told.runId === runId) void keep()
  })
  try {
    const facts = await readCase(deps.db, taken.id)
    if (!facts) return 'none'
    const way = await wayFor(deps, facts, AbortSignal.any([signal, gone.signal]))
    await commitWay(deps, runId, taken, facts, way)
    return 'done'
  } catch (error) {
    if (gone.signal.aborted) return 'none'
    await release(deps, taken, isWorkerStopping(signal))
    if (signal.aborted) return 'none'
    throw error
  } finally {
    clearInterval(lease)
    unsubscribe()
  }
}

/** Nothing is looked for once recovery was switched off; what a model was to find, once it works by rules alone. */
async function wayFor(deps: RecoverDeps, facts: Case, signal: AbortSignal): Promise<Way> {
  const mode = await recoveryMode(deps.db, deps.settings)
  if (!isWanted(mode, facts.by)) return { kind: 'none', ...switchedOff, spent: nothingSpent }
  return findWay(deps, facts, signal)
}

/**
 * The oldest step that waits, while its run goes on and nothing is locked down; not while another task of what it would
 * replace is still at work.
 */
async function takeStep(deps: Pick<Deps, 'db'>, runId: string): Promise<Taken | undefined> {
  const [row] = await deps.db.query<Taken>(
    `UPDATE recovery v SET taken_until = clock_timestamp() + $2 * interval '1 ms', tries = v.tries + 1
     WHERE v.status = 'open' AND v.id = (
       SELECT o.id FROM recovery o JOIN run r ON r.id = o.run_id AND r.status = 'running'
       WHERE o.run_id = $1 AND o.status = 'open' AND (o.taken_until IS NULL OR o.taken_until < clock_timestamp())
         AND NOT EXISTS (SELECT 1 FROM installation WHERE key = 'lockdown' AND value = 'true')
         AND NOT EXISTS (SELECT 1 FROM task t JOIN recovery b ON b.id = t.recovery_id JOIN plan p ON p.id = t.plan_id AND p.version = r.plan_version
           WHERE t.run_id = $1 AND b.root_id = o.root_id AND t.status IN ('held', 'queued', 'claimed', 'running', 'needs_review'))
       ORDER BY o.created_at, o.id LIMIT 1 FOR UPDATE OF o SKIP LOCKED)
     RETURNING v.id, v.tries`,
    [runId, LEASE_MS],
  )
  return row
}

/** Keeps a step for this worker. False when it is no longer its own. */
async function hold(deps: Pick<Deps, 'db' | 'log'>, { id, tries }: Taken): Promise<boolean> {
  try {
    const rows = await deps.db.query(
      `UPDATE recovery SET taken_until = clock_timestamp() + $2 * interval '1 ms' WHERE id = $1 AND status = 'open' AND tries = $3 RETURNING id`,
      [id, LEASE_MS, tries],
    )
    return rows.length > 0
  } catch (error) {
    tellFault(deps.log, `recovery ${id}`, error)
    return true
  }
}

/** Lets another worker have a step at once; `uncounted`: it was no fault of the step that this one did not end it. */
async function release(
  deps: Pick<Deps, 'db' | 'log'>,
  { id, tries }: Taken,
  uncounted: boolean,
): Promise<void> {
  try {
    await deps.db.query(
      `UPDATE recovery SET taken_until = clock_timestamp() - interval '1 ms', tries = tries - $3 WHERE id = $1 AND status = 'open' AND tries = $2`,
      [id, tries, uncounted ? 1 : 0],
    )
  } catch (error) {
    tellFault(deps.log, `recovery ${id}`, error)
  }
}
