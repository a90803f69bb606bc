import type { LedgerEvent } from '../events/readEvents.ts'
import { OLDEST, readEventPage } from '../events/readEvents.ts'
import { jsonText } from '../storage/jsonText.ts'
import type { Database } from '../storage/openDatabase.ts'
import type { Sql } from '../storage/sql.ts'
import { actorNames, actorOf, nameIn } from './actorName.ts'
import { auditedTypes, isAudited } from './audited.ts'
import { type AuditRow, GENESIS, type Head, rowHash } from './row.ts'

/** The name under which the trail keeps how far it has read. */
export const READER = 'audit'
/** Events of one transaction, at most. */
const BATCH = 500

export type Sealed = { rows: number; head: Head }

/**
 * Puts every audited event that has committed since into the chain, in the order of the ledger. Any number of processes
 * may do it at once: whoever has the cursor's row goes on where the last one ended. Killed at any point, it leaves
 * what it was doing undone. Returns how many rows it made, and the head.
 */
export async function sealAuditOnce({ db }: { db: Pick<Database, 'tx'> }): Promise<Sealed> {
  for (let rows = 0; ; ) {
    const page = await db.tx(sealPage)
    rows += page.rows
    if (!page.more) return { rows, head: page.head }
  }
}

async function sealPage(tx: Sql): Promise<Sealed & { more: boolean }> {
  const cursor = await lockCursor(tx)
  const page = await readEventPage(tx, cursor, BATCH, auditedTypes)
  const before = await readHead(tx)
  const rows = chain(before, page.events.filter(isAudited), await actorNames(tx, page.events))
  if (rows.length > 0) await insert(tx, rows)
  if (page.cursor !== cursor)
    await tx.query('UPDATE event_cursor SET cursor = $2 WHERE reader = $1', [READER, page.cursor])
  return { rows: rows.length, head: rows.at(-1) ?? before, more: page.more }
}

/** How far the trail has read; nobody else goes on from there until this transaction ends. */
async function lockCursor(tx: Sql): Promise<string> {
  const find = () =>
    tx.query<{ cursor: string }>('SELECT cursor FROM event_cursor WHERE reader = $1 FOR UPDATE', [READER])
  const [row] = await find()
  if (row) return row.cursor
  await tx.query('INSERT INTO event_cursor (reader, cursor) VALUES ($1, $2) ON CONFLICT DO NOTHING', [
    READER,
    OLDEST,
  ])
  return (await find())[0]?.cursor ?? OLDEST
}

/** The end of the trail as it stands. */
export async function readHead(sql: Sql): Promise<Head> {
  const [row] = await sql.query<Head>('SELECT position, hash FROM audit ORDER BY position DESC LIMIT 1')
  return row ?? GENESIS
}

/** Rows for these events, each with the hash of the one before. Pure. */
function chain(before: Head, events: readonly LedgerEvent[], names: ReadonlyMap<string, string>): AuditRow[] {
  let last = before
  return events.map((event) => {
    const row = rowOf(event, names, last)
    const made = { ...row, hash: rowHash(row) }
    last = made
    return made
  })
}

function rowOf(event: LedgerEvent, names: ReadonlyMap<string, string>, before: Head): Omit<AuditRow, 'hash'> {
  const { run_id, task_id, approval_id, agent_id } = event
  const ids = Object.entries({ run_id, task_id, approval_id, agent_id }).filter(([, id]) => id !== null)
  return {
    position: before.position + 1,
    event_seq: event.seq,
    at: event.at,
    type: event.type,
    who: nameIn(names, event),
    who_id: actorOf(event),
    subject: Object.fromEntries(ids),
    data: event.data,
    previous: before.hash,
  }
}

async function insert(tx: Sql, rows: readonly AuditRow[]): Promise<void> {
  const column = <K extends keyof AuditRow>(name: K) => rows.map((row) => row[name])
  await tx.query(
    `INSERT INTO audit (position, event_seq, at, type, who, who_id, subject, data, previous, hash)
     SELECT * FROM unnest($1::bigint[], $2::bigint[], $3::timestamptz[], $4::text[], $5::text[], $6::uuid[], $7::jsonb[], $8::jsonb[], $9::text[], $10::text[])`,
    [
      column('position'),
      column('event_seq'),
      rows.map(({ at }) => at.toISOString()),
      column('type'),
      column('who'),
      column('who_id'),
      rows.map(({ subject }) => jsonText(subject)),
      rows.map(({ data }) => jsonText(data)),
      column('previous'),
      column('hash'),
    ],
  )
}
