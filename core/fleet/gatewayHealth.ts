import type { Deps } from '../deps.ts'
import { tellEvent } from '../events/tellEvent.ts'
import type { Tx } from '../storage/sql.ts'

type HealthDeps = Pick<Deps, 'db' | 'bus' | 'wake'>
/** A gateway as its caller last read it. */
type Known = { id: string; successRate: number; failures: number; open: boolean }
type Row = { id: string; name: string; success_rate: number; failures: number; open: boolean }

/** Weight of the newest call in the moving averages. */
const NEWEST = 0.1
/** Calls in a row without an answer, or a share of answers below which one is enough, that open the breaker. */
const MAX_FAILURES = 3
const BAD_RATE = 0.5
/** How long a breaker stays open: doubled with each probe that fails, and spread so that gateways do not beat as one. */
const OPEN_MS = 1000
const MAX_OPEN_MS = 10_000

/** Whether nothing would change by an answer: then nothing is written, however many calls there are. */
const isWell = ({ successRate, failures, open }: Known): boolean =>
  successRate > 0.999 && failures === 0 && !open

/**
 * Notes in the ledger what became of a call to a gateway, for all processes. `answered`: the gateway itself spoke,
 * be it to say that the agent is away. The breaker opens here and closes only by a probe. Never throws for a gateway
 * that is gone.
 */
export async function noteCall(deps: HealthDeps, gateway: Known, answered: boolean): Promise<void> {
  if (answered && isWell(gateway)) return
  await deps.db.tx(async (tx) => {
    const row = await lock(tx, gateway.id)
    // While it is open only probes count: calls that were under way when it opened say nothing new.
    if (!row || row.open) return
    const rate = averaged(row.success_rate, Number(answered))
    const failures = answered ? 0 : row.failures + 1
    await tx.query('UPDATE gateway SET success_rate = $2, failures = $3 WHERE id = $1', [
      row.id,
      rate,
      failures,
    ])
    if (!answered && (failures >= MAX_FAILURES || rate < BAD_RATE)) await open(deps, tx, row, failures)
  })
}

/** Notes what became of a probe: an answer closes the breaker, none opens it or keeps it open for longer. */
export async function noteProbe(
  deps: HealthDeps,
  gatewayId: string,
  answeredMs: number | null,
): Promise<void> {
  await deps.db.tx(async (tx) => {
    const row = await lock(tx, gatewayId)
    if (!row) return
    const rate = averaged(row.success_rate, answeredMs === null ? 0 : 1)
    const failures = answeredMs === null ? row.failures + 1 : 0
    await tx.query(
      `UPDATE gateway SET success_rate = $2, failures = $3,
       latency_ms = CASE WHEN $4::float8 IS NULL THEN latency_ms ELSE coalesce(latency_ms * ${1 - NEWEST} + $4 * ${NEWEST}, $4) END WHERE id = $1`,
      [row.id, rate, failures, answeredMs],
    )
    if (answeredMs !== null) {
      if (row.open) await close(deps, tx, row)
    } else if (row.open || failures >= MAX_FAILURES) await open(deps, tx, row, failures)
  })
}

const averaged = (before: number, newest: number): number => before * (1 - NEWEST) + newest * NEWEST

async function lock(tx: Tx, id: string): Promise<Row | undefined> {
  const [row] = await tx.query<Row>(
    'SELECT id, name, success_rate, failures, open_until IS NOT NULL AS open FROM gateway WHERE id = $1 FOR NO KEY UPDATE',
    [id],
  )
  return row
}

async function open(deps: HealthDeps, tx: Tx, { id, name, open: was }: Row, failures: number): Promise<void> {
  const ms = Math.min(MAX_OPEN_MS, OPEN_MS * 2 ** Math.min(10, Math.max(0, failures - MAX_FAILURES)))
  await tx.query(
    "UPDATE gateway SET open_until = clock_timestamp() + $2 * (0.75 + random() / 2) * interval '1 ms' WHERE id = $1",
    [id, ms],
  )
  if (was) return
  await tellEvent(tx, 'gateway.breaker_opened', {}, { gateway_id: id, name, failures })
  tx.afterCommit(() => deps.bus.publish('agents', {}))
}

async function close(deps: HealthDeps, tx: Tx, { id, name }: Row): Promise<void> {
  await tx.query('UPDATE gateway SET open_until = NULL WHERE id = $1', [id])
  await tellEvent(tx, 'gateway.breaker_closed', {}, { gateway_id: id, name })
  tx.afterCommit(() => {
    deps.bus.publish('agents', {})
    deps.wake('tasks.dispatch', {})
    deps.wake('attempts.cancel', {})
  })
}
