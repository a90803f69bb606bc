import type { Update } from 'grammy/types'
import { failpoint } from '../../core/config/failpoint.ts'
import { messageOf } from '../../core/config/logger.ts'
import { isDatabaseAway } from '../../core/storage/databaseAway.ts'
import { jsonText } from '../../core/storage/jsonText.ts'
import type { Tx } from '../../core/storage/sql.ts'
import type { Reading } from '../../core/talk/readByModel.ts'
import { isAsked } from '../conversations/storage.ts'
import { say } from '../delivery/say.ts'
import type { BotDeps, Heard } from '../turn.ts'
import { createReader, createReadings } from './askModel.ts'
import { createGathering, type StoredUpdate } from './gatherParts.ts'

/** An update whose handling fails this often is set aside, and the person is told. */
const MAX_TRIES = 3

/** What is handled keeps what makes it count once, its id, and nothing of what was said, shown or read in it. */
const DONE = `UPDATE telegram_update SET handled_at = clock_timestamp(), held_until = NULL, reading = NULL,
  payload = jsonb_build_object('update_id', update_id) WHERE update_id = ANY($1::bigint[])`

const unread: Heard = { dropped: false }

type Handler = (tx: Tx, update: Update, heard: Heard) => Promise<void>
type Row = Pick<StoredUpdate, 'update_id' | 'key'>

/**
 * Handles what the inbox has: each update in one transaction with all its effects, updates of one key in order. Parts
 * of one text wait for each other and are handled as one update, in one transaction that marks them all. A crash before
 * the commit leaves the update unhandled and nothing else; after it, all is there.
 */
export function createInbox(deps: BotDeps, handle: Handler) {
  const lanes = new Map<string, Promise<void>>()
  const known = new Set<number>()

  /** One thing after the other for each key. */
  const inLane = (key: string, what: string, work: () => Promise<void>): Promise<void> => {
    const before = lanes.get(key) ?? Promise.resolve()
    const mine = before
      .then(work)
      .catch((error) => void deps.log.error(`${what}: ${messageOf(error)}`))
      .finally(() => {
        if (lanes.get(key) === mine) lanes.delete(key)
      })
    lanes.set(key, mine)
    return mine
  }

  const reader = createReader(deps)
  const reading = createReadings()
  const gathering = createGathering(deps, (key) => void inLane(key, `parts of ${key}`, () => handleHeld(key)))

  const carryOut = async (tx: Tx, update: Update, ids: readonly number[], heard: Heard): Promise<void> => {
    failpoint('update.handled:before')
    await handle(tx, update, heard)
    failpoint('update.handled:after')
    tx.afterCommit(() => failpoint('update.handled:committed'))
    await tx.query(DONE, [ids])
  }

  const handleOne = (row: Row): Promise<void> =>
    untilDone([row.update_id], async (tx) => {
      const [locked] = await tx.query<StoredUpdate>(
        'SELECT * FROM telegram_update WHERE update_id = $1 AND handled_at IS NULL FOR UPDATE SKIP LOCKED',
        [row.update_id],
      )
      if (!locked) return
      if (locked.reading?.asking) {
        // Of the bot before this one: nobody is asked again, the rules have the word.
        if (!reading.has(locked.update_id)) await carryOut(tx, locked.payload, [locked.update_id], unread)
        return
      }
      const placed = await gathering.place(tx, locked)
      if (placed.kind === 'held') return
      for (const group of placed.before) await carryOut(tx, group.update, group.ids, group.heard)
      if (await askFirst(tx, locked)) return
      const dropped = placed.stops ? [...placed.dropped, ...reading.idsOf(locked.key)] : []
      tx.afterCommit(() => reading.leave(dropped))
      await carryOut(tx, locked.payload, [locked.update_id, ...dropped], { dropped: dropped.length > 0 })
    })

  /** Whether a model is asked about this update before it is handled; it is handled then, or soon without an answer. */
  const askFirst = async (tx: Tx, row: StoredUpdate): Promise<boolean> => {
    const text = row.payload.message?.text
    if (typeof text !== 'string' || !reader.isWorth(text)) return false
    if (!(await gathering.isHeard(tx, row.payload))) return false
    // An answer to what the bot has asked is that, however it sounds.
    if ((await isAsked(tx, row.key)) || !reader.take(row.key)) return false
    await gathering.keepAsking(tx, row)
    tx.afterCommit(() => gathering.noRequest(row.key))
    tx.afterCommit(() =>
      reading.begin(
        row,
        (unwanted) => reader.read(row.payload, unwanted),
        (read) => inLane(row.key, `update ${row.update_id}`, () => handleRead(row, read)),
      ),
    )
    return true
  }

  /** An update with what a model took it for; a stop word may have left it out meanwhile. */
  const handleRead = (row: StoredUpdate, read: Reading | null): Promise<void> =>
    untilDone([row.update_id], async (tx) => {
      const [open] = await tx.query(
        'UPDATE telegram_update SET reading = $2::jsonb WHERE update_id = $1 AND handled_at IS NULL RETURNING 1',
        [row.update_id, jsonText({ read })],
      )
      if (open) await carryOut(tx, row.payload, [row.update_id], { dropped: false, reading: read })
    })

  /** Parts that have waited long enough, as one update. */
  const handleHeld = async (key: string): Promise<void> => {
    const ids = gathering.heldOf(key)
    if (ids.length === 0) return
    await untilDone(ids, async (tx) => {
      const group = await gathering.due(tx, key)
      if (group) await carryOut(tx, group.update, group.ids, group.heard)
    })
  }

  const untilDone = async (ids: readonly number[], work: (tx: Tx) => Promise<void>): Promise<void> => {
    for (;;) {
      try {
        await deps.db.tx(work)
        return
      } catch (error) {
        if (await setAside(ids, error)) return
      }
    }
  }

  /** True when the update is given up. A database that is away does not count as a try. */
  const setAside = async (ids: readonly number[], error: unknown): Promise<boolean> => {
    if (isDatabaseAway(error)) {
      await new Promise((resolve) => setTimeout(resolve, 1000))
      return false
    }
    deps.log.error(`update ${ids.join(', ')}: ${error instanceof Error ? error.stack : messageOf(error)}`)
    const rows = await deps.db
      .query<{ tries: number; payload: Update }>(
        'UPDATE telegram_update SET tries = tries + 1, error = $2 WHERE update_id = ANY($1::bigint[]) RETURNING tries, payload',
        [ids, messageOf(error).slice(0, 500)],
      )
      .catch(() => null)
    const row = rows?.[0]
    if (!row) await new Promise((resolve) => setTimeout(resolve, 1000))
    if (!row || row.tries < MAX_TRIES) return false
    await deps.db.query(DONE, [ids])
    const last = ids.at(-1) ?? 0
    await apologise(last, row.payload).catch((e) => deps.log.error(`update ${last}: ${messageOf(e)}`))
    return true
  }

  const apologise = async (updateId: number, update: Update): Promise<void> => {
    const chat = update.message?.chat ?? update.callback_query?.message?.chat
    if (typeof chat?.id !== 'number') return
    const text = `Something went wrong with that (u${updateId}). It was not carried out; please try again.`
    await deps.db.tx((tx) =>
      say(tx, deps.bus, { chatId: chat.id, topicId: 0 }, text, { key: `broken:${updateId}` }),
    )
  }

  const enqueue = (row: Row): void => {
    if (known.has(row.update_id)) return
    known.add(row.update_id)
    void inLane(row.key, `update ${row.update_id}`, () => handleOne(row)).finally(() =>
      known.delete(row.update_id),
    )
  }

  /** Takes up everything that is not handled yet, oldest first. */
  const look = async (): Promise<void> => {
    const rows = await deps.db.query<Row>(
      'SELECT update_id, key FROM telegram_update WHERE handled_at IS NULL ORDER BY update_id LIMIT 500',
    )
    for (const row of rows) enqueue(row)
  }

  return {
    enqueue,
    look,
    /** Before the first look: what was held when the last bot went waits for its other parts anew. */
    begin: (): Promise<unknown> => gathering.begin(),
    idle: async (): Promise<void> => {
      gathering.stop()
      reading.stop()
      await Promise.all(lanes.values())
    },
  }
}
export type Inbox = ReturnType<typeof createInbox>
