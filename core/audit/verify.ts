import { isDeepStrictEqual } from 'node:util'
import { OLDEST } from '../events/readEvents.ts'
import type { Sql } from '../storage/sql.ts'
import { auditedTypes, isAudited } from './audited.ts'
import { type AuditRow, GENESIS, type Head, rowHash } from './row.ts'
import { READER } from './seal.ts'

/** What is wrong with a trail, and where. */
export type AuditFault = {
  kind: 'changed' | 'missing' | 'order' | 'event_changed' | 'event_missing' | 'cut' | 'rewritten'
  position: number
  text: string
}
export type Verified = { rows: number; head: Head; faults: AuditFault[] }

const PAGE = 1000
const MAX_FAULTS = 50

/**
 * Recomputes the whole chain, compares it with the events that are still there in both directions, and with heads that
 * were noted outside the database. Finds rows that were changed, removed, moved, put in or cut off. Reads only; what was
 * done since the last sealing is not looked at (`sealAuditOnce` first). Returns at most 50 faults, in order.
 */
export async function verifyAudit(sql: Sql, noted: readonly Head[] = []): Promise<Verified> {
  const wanted = Map.groupBy(noted, (head) => head.position)
  const faults: AuditFault[] = []
  let last: Head = GENESIS
  let rows = 0
  for (;;) {
    const page = await readRows(sql, last.position)
    for (const row of page) {
      faults.push(...judgeRow(row, last), ...judgeHeads(row, wanted.get(row.position) ?? []))
      last = row
      rows++
    }
    faults.push(...(await againstEvents(sql, page)))
    if (page.length < PAGE || faults.length > MAX_FAULTS) break
  }
  for (const head of noted)
    if (head.position > last.position)
      faults.push({
        kind: 'cut',
        position: head.position,
        text: `row ${head.position} was noted, and the trail ends at ${last.position}`,
      })
  faults.push(...(await unsealedEvents(sql)))
  const found = faults.sort((a, b) => a.position - b.position).slice(0, MAX_FAULTS)
  return { rows, head: { position: last.position, hash: last.hash }, faults: found }
}

export const readRows = (sql: Sql, after: number, limit = PAGE): Promise<AuditRow[]> =>
  sql.query<AuditRow>('SELECT * FROM audit WHERE position > $1 ORDER BY position LIMIT $2', [after, limit])

/** The newest rows, newest first; `before`: only those before this position. */
export const newestRows = (sql: Sql, limit: number, before = Number.MAX_SAFE_INTEGER): Promise<AuditRow[]> =>
  sql.query<AuditRow>('SELECT * FROM audit WHERE position < $1 ORDER BY position DESC LIMIT $2', [
    before,
    limit,
  ])

function judgeRow(row: AuditRow, before: Head): AuditFault[] {
  const { position } = row
  const fault = (kind: AuditFault['kind'], text: string): AuditFault => ({ kind, position, text })
  if (position !== before.position + 1)
    return [fault('missing', `rows ${before.position + 1} to ${position - 1} are missing`)]
  const wrong: AuditFault[] = []
  if (rowHash(row) !== row.hash) wrong.push(fault('changed', `row ${position} is not what was hashed`))
  if (row.previous !== before.hash)
    wrong.push(fault('order', `row ${position} does not follow row ${before.position}`))
  return wrong
}

const judgeHeads = (row: AuditRow, noted: readonly Head[]): AuditFault[] =>
  noted
    .filter((head) => head.hash !== row.hash)
    .map(() => ({
      kind: 'rewritten',
      position: row.position,
      text: `row ${row.position} has another hash than was noted: the trail was written anew`,
    }))

type EventRow = { seq: number; type: string; data: Record<string, unknown>; at: Date }

/** Events that are still there must be what the trail says of them. Old ones are pruned, which is no fault. */
async function againstEvents(sql: Sql, page: readonly AuditRow[]): Promise<AuditFault[]> {
  const events = await sql.query<EventRow>(
    'SELECT seq, type, data, at FROM event WHERE seq = ANY($1::bigint[])',
    [page.map((row) => row.event_seq)],
  )
  const bySeq = new Map(events.map((event) => [event.seq, event]))
  return page.flatMap((row) => {
    const event = bySeq.get(row.event_seq)
    if (!event || isSame(event, row)) return []
    return [
      {
        kind: 'event_changed' as const,
        position: row.position,
        text: `event ${row.event_seq} is not what row ${row.position} says of it`,
      },
    ]
  })
}

const isSame = (event: EventRow, row: AuditRow): boolean =>
  event.type === row.type &&
  event.at.getTime() === row.at.getTime() &&
  isDeepStrictEqual(event.data, row.data)

/** Audited events that the trail has read past and does not have: rows were cut off, or events put in. */
async function unsealedEvents(sql: Sql): Promise<AuditFault[]> {
  const [reader] = await sql.query<{ cursor: string }>('SELECT cursor FROM event_cursor WHERE reader = $1', [
    READER,
  ])
  const [xid, seq] = (reader?.cursor ?? OLDEST).split('.')
  const events = await sql.query<EventRow>(
    `SELECT e.seq, e.type, e.data, e.at FROM event e WHERE (e.xid, e.seq) <= ($1::text::xid8, $2::bigint) AND e.type = ANY($3::text[])
     AND NOT EXISTS (SELECT 1 FROM audit a WHERE a.event_seq = e.seq) ORDER BY e.seq LIMIT 1000`,
    [xid, seq, auditedTypes],
  )
  return events.filter(isAudited).map((event) => ({
    kind: 'event_missing' as const,
    position: Number.MAX_SAFE_INTEGER,
    text: `event ${event.seq} (${event.type}) is not in the trail: its row was removed, or the event was put in afterwards`,
  }))
}
