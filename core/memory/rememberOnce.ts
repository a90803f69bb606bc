import { failpoint } from '../config/failpoint.ts'
import type { Deps } from '../deps.ts'
import { type LedgerEvent, newestCursor, OLDEST, readEventPage } from '../events/readEvents.ts'
import { isDatabaseAway } from '../storage/databaseAway.ts'
import type { Sql, Tx } from '../storage/sql.ts'
import { tellFault } from '../storage/tellFault.ts'
import { rememberAgent } from './rememberAgent.ts'
import { rememberRevision } from './rememberRevision.ts'
import { rememberRun } from './rememberRun.ts'

/** The name under which memory keeps how far it has read. */
const READER = 'memory'
/** Events of one transaction, at most. */
const BATCH = 100

type RememberDeps = Pick<Deps, 'db' | 'log' | 'redact' | 'memory'>
type Remember = (deps: RememberDeps, tx: Sql, event: LedgerEvent) => Promise<unknown>

const ofRun: Remember = async (deps, tx, { run_id, at }) =>
  run_id === null ? undefined : rememberRun(deps, tx, run_id, at)
const ofAgent: Remember = async (deps, tx, { agent_id, at }) =>
  agent_id === null ? undefined : rememberAgent(deps, tx, agent_id, at)
const ofPlan: Remember = async (deps, tx, { run_id, data, at }) =>
  run_id === null ? undefined : rememberRevision(deps, tx, run_id, Number(data.version), at)

/** What is remembered by itself: events, and what makes memories of them. */
const rememberBy: Readonly<Record<string, Remember>> = {
  'run.succeeded': ofRun,
  'run.failed': ofRun,
  'run.cancelled': ofRun,
  'run.denied': ofRun,
  'run.refused': ofRun,
  'plan.made': ofPlan,
  'agent.connected': ofAgent,
}
const types = Object.keys(rememberBy)

/**
 * Makes memories of all that happened since, in the order of the ledger. Memories and how far was read commit together:
 * whatever is killed, none is lost and none counts twice. Any number of processes may do it at once. While memory is
 * off it only moves on, so that what happened then is never remembered. Returns the events it looked at.
 */
export async function rememberOnce(deps: RememberDeps): Promise<number> {
  if (!deps.memory) {
    await skip(deps.db)
    return 0
  }
  for (let events = 0; ; ) {
    const page = await deps.db.tx((tx) => rememberPage(deps, tx))
    events += page.events
    if (!page.more) return events
  }
}

async function rememberPage(deps: RememberDeps, tx: Tx): Promise<{ events: number; more: boolean }> {
  const cursor = await lockCursor(tx)
  const page = await readEventPage(tx, cursor, BATCH, types)
  for (const event of page.events) await rememberEvent(deps, tx, event)
  if (page.cursor !== cursor)
    await tx.query('UPDATE event_cursor SET cursor = $2 WHERE reader = $1', [READER, page.cursor])
  failpoint('memory.page:after')
  if (page.events.length > 0) tx.afterCommit(() => failpoint('memory.page:committed'))
  return { events: page.events.length, more: page.more }
}

/** One that cannot be remembered is said in the log and passed over: those behind it wait for nothing. */
async function rememberEvent(deps: RememberDeps, tx: Tx, event: LedgerEvent): Promise<void> {
  await tx.query('SAVEPOINT memory')
  try {
    failpoint('memory.stored:before')
    await rememberBy[event.type]?.(deps, tx, event)
    failpoint('memory.stored:after')
    await tx.query('RELEASE SAVEPOINT memory')
  } catch (error) {
    if (isDatabaseAway(error) || isConflict(error)) throw error
    await tx.query('ROLLBACK TO SAVEPOINT memory')
    tellFault(deps.log, `memory of ${event.type} ${event.run_id ?? event.agent_id}`, error)
  }
}

/** What the whole transaction is tried again for. */
const isConflict = (error: unknown): boolean =>
  error instanceof Error && ['40001', '40P01'].includes(String(Reflect.get(error, 'code')))

/** How far was read; nobody else goes on from there until this transaction ends. */
async function lockCursor(tx: Sql): Promise<string> {
  await tx.query('INSERT INTO event_cursor (reader, cursor) VALUES ($1, $2) ON CONFLICT DO NOTHING', [
    READER,
    OLDEST,
  ])
  const [row] = await tx.query<{ cursor: string }>(
    'SELECT cursor FROM event_cursor WHERE reader = $1 FOR UPDATE',
    [READER],
  )
  return row?.cursor ?? OLDEST
}

const skip = async (db: Sql): Promise<unknown> =>
  db.query(
    'INSERT INTO event_cursor (reader, cursor) VALUES ($1, $2) ON CONFLICT (reader) DO UPDATE SET cursor = EXCLUDED.cursor',
    [READER, await newestCursor(db)],
  )
