import type { Deps } from '../deps.ts'

/** What deciding on the next step takes: it happens in the transaction in which a task ends. */
export type FollowDeps = Pick<Deps, 'wake' | 'bus'> & {
  settings: Pick<Deps['settings'], 'recovery' | 'approvalTtlMs' | 'approvalQuorum'>
}

/** What carrying out a step takes. */
export type RecoverDeps = Pick<
  Deps,
  'db' | 'bus' | 'wake' | 'log' | 'policy' | 'playbooks' | 'model' | 'settings' | 'gatewayToken' | 'redact'
>

/** A step of recovery that a worker has taken. `tries` tells its taking from a later one. */
export type Taken = { id: string; tries: number }
