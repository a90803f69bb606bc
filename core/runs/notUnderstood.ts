type Ended = { status: string; planVersion: number; error: { code: string } | null }

/** The code of a request that no playbook understood while no model was set. */
export const NOT_UNDERSTOOD = 'NO_PLAYBOOK'

/**
 * Whether a run is a request that nobody understood: nothing was planned and nothing ran, so that people are given an
 * answer and not a failure. The ledger and programs are told of it as a failed run. Pure.
 */
export const isNotUnderstood = (run: Ended): boolean =>
  run.status === 'failed' && run.planVersion === 0 && run.error?.code === NOT_UNDERSTOOD

/** The same of a row of `run` called `r`, in SQL. */
export const notUnderstood = `(r.status = 'failed' AND r.plan_version = 0 AND coalesce(r.error->>'code', '') = '${NOT_UNDERSTOOD}')`
