import type { Deps } from '../deps.ts'
import { tellFault } from '../storage/tellFault.ts'

/** How long a planner holds a run, renewed while it lives; one that died is followed by another after that. */
const PLANNING_LEASE_MS = 10_000

export type PlanningRun = {
  id: string
  kind: string
  request: string
  /** Its words are somebody else's, sent on. */
  forwarded: boolean
  person_id: string | null
  chat_id: number | null
  agent_id: string | null
  cwd: string | null
  plan_version: number
  revision: unknown
  planning_tries: number
}

/**
 * Holds the run for this planner, and aborts `signal` once it is not in `planning` any more: somebody cancelled it, or
 * another planner has it. Heard over the bus at once, and of the ledger with the next renewal.
 */
export function whileWanted(
  deps: Pick<Deps, 'db' | 'bus' | 'log'>,
  run: PlanningRun,
  stopping: AbortSignal,
): { signal: AbortSignal; isOver(): boolean; stop(): void } {
  const over = new AbortController()
  const look = async (): Promise<void> => {
    const held = await holdRun(deps, run)
    if (held?.length === 0) over.abort(new Error('nobody wants this plan any more'))
  }
  const timer = setInterval(() => void look(), PLANNING_LEASE_MS / 3)
  const unsubscribe = deps.bus.subscribe('run.changed', ({ runId }) => {
    if (runId === run.id) void look()
  })
  return {
    signal: AbortSignal.any([stopping, over.signal]),
    isOver: () => over.signal.aborted,
    stop: () => {
      clearInterval(timer)
      unsubscribe()
    },
  }
}

type Own = Pick<PlanningRun, 'id' | 'planning_tries'>

/** Keeps a run for this planner. Empty when it is not this planner's any more. */
const holdRun = (deps: Pick<Deps, 'db' | 'log'>, run: Own): Promise<object[] | null> =>
  deps.db
    .query(
      `UPDATE run SET planning_until = clock_timestamp() + $2 * interval '1 ms'
       WHERE id = $1 AND status = 'planning' AND planning_tries = $3 RETURNING id`,
      [run.id, PLANNING_LEASE_MS, run.planning_tries],
    )
    .catch((error) => {
      tellFault(deps.log, `planning of ${run.id}`, error)
      return null
    })

/** Lets another planner have a run at once; `uncounted`: it was no fault of the run that this one did not plan it. */
export async function releaseRun(
  deps: Pick<Deps, 'db' | 'log'>,
  run: Own,
  uncounted: boolean,
): Promise<void> {
  await deps.db
    .query(
      `UPDATE run SET planning_until = clock_timestamp() - interval '1 ms', planning_tries = planning_tries - $3
       WHERE id = $1 AND status = 'planning' AND planning_tries = $2`,
      [run.id, run.planning_tries, uncounted ? 1 : 0],
    )
    .catch((error) => tellFault(deps.log, `planning of ${run.id}`, error))
}

/** Takes a run that waits to be planned; undefined when another planner has it. */
export async function takeRun(deps: Pick<Deps, 'db'>, runId: string): Promise<PlanningRun | undefined> {
  const [run] = await deps.db.query<PlanningRun>(
    `UPDATE run SET planning_until = clock_timestamp() + $2 * interval '1 ms', planning_tries = planning_tries + 1
     WHERE id = $1 AND status = 'planning' AND (planning_until IS NULL OR planning_until < clock_timestamp())
     RETURNING id, kind, request, forwarded, person_id, chat_id, agent_id, cwd, plan_version, planning_tries, revision`,
    [runId, PLANNING_LEASE_MS],
  )
  return run
}
