import type { RouteDeps } from './deps.ts'

/** Looked at this often besides, in case a notice was lost. */
const LOOK_MS = 250

/** Waits until a run is no longer in planning, `ms` at most. Returns whether it is not. */
export async function planned(
  deps: Pick<RouteDeps, 'db' | 'bus'>,
  runId: string,
  ms: number,
): Promise<boolean> {
  const until = performance.now() + ms
  for (;;) {
    const change = nextChange(deps, runId, LOOK_MS)
    const [run] = await deps.db.query<{ status: string }>('SELECT status FROM run WHERE id = $1', [runId])
    if (run?.status !== 'planning') return true
    if (performance.now() >= until) return false
    await change
  }
}

/** Resolves when something of the run changes, or after `ms`. */
const nextChange = ({ bus }: Pick<RouteDeps, 'bus'>, runId: string, ms: number): Promise<void> =>
  new Promise((resolve) => {
    const end = () => {
      clearTimeout(timer)
      unsubscribe()
      resolve()
    }
    const timer = setTimeout(end, ms)
    const unsubscribe = bus.subscribe('run.changed', (change) => {
      if (change.runId === runId) end()
    })
  })
