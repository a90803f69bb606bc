import type { Update } from 'grammy/types'
import type { Tx } from '../../core/storage/sql.ts'
import { HOLD_MS, joinParts, LONGEST_HOLD_MS, placeText } from '../../core/talk/parts.ts'
import type { Reading } from '../../core/talk/readByModel.ts'
import { isStopWord, understand } from '../../core/talk/understand.ts'
import { isAsked } from '../conversations/storage.ts'
import { sayTyping } from '../delivery/say.ts'
import { type BotDeps, type Heard, isOthersWords } from '../turn.ts'
import { READ_MS } from './askModel.ts'
import { partiesOf } from './partiesOf.ts'

/** What is kept with an update that waits: the message right before it, of which it may be a part; or what a model, which is being asked, took it for. */
export type Kept = { follows?: number; asking?: true; read?: Reading | null }
export type StoredUpdate = {
  update_id: number
  key: string
  payload: Update
  tries: number
  held_until: Date | null
  reading: Kept | null
}

/** Parts as one update, and the rows that are handled with it. */
export type Group = { update: Update; ids: number[]; heard: Heard }
export type Placed = { kind: 'held' } | { kind: 'now'; before: Group[]; dropped: number[]; stops: boolean }

type Before = { at: number; date: number; messageId: number }
/** People remembered for whether they write quickly; beyond it the oldest are forgotten. */
const MOST_REMEMBERED = 10_000

/**
 * Which updates wait for more, and when they are handled as one. Parts wait in the inbox itself, unhandled, with a
 * timer in their row: so a crash loses none, and a restart waits for the rest anew. `fire` is told when the parts of a
 * key have waited long enough. Parts are of one key: one person, one chat, one topic.
 */
export function createGathering(deps: BotDeps, fire: (key: string) => void) {
  const held = new Map<string, number[]>()
  const timers = new Map<string, NodeJS.Timeout>()
  const lastRequest = new Map<string, Before>()
  let stopped = false

  const forget = (key: string): void => {
    clearTimeout(timers.get(key))
    timers.delete(key)
    held.delete(key)
  }

  const fireIn = (key: string, ms: number): void => {
    clearTimeout(timers.get(key))
    if (!stopped)
      timers.set(
        key,
        setTimeout(() => fire(key), Math.max(1, ms)),
      )
  }

  const rowsOf = async (tx: Tx, key: string): Promise<StoredUpdate[]> => {
    const ids = held.get(key) ?? []
    return ids.length === 0
      ? []
      : tx.query<StoredUpdate>(
          `SELECT * FROM telegram_update WHERE update_id = ANY($1::bigint[]) AND handled_at IS NULL AND held_until IS NOT NULL
           ORDER BY update_id FOR UPDATE`,
          [ids],
        )
  }

  /** Puts an update beside the parts that wait, all of them a little longer, but not for ever. */
  const hold = async (
    tx: Tx,
    row: StoredUpdate,
    parts: StoredUpdate[],
    reading: Kept | null,
  ): Promise<void> => {
    const ids = [...parts.map((part) => part.update_id), row.update_id]
    const [{ ms } = { ms: HOLD_MS }] = await tx.query<{ ms: number }>(
      `WITH held AS (
         UPDATE telegram_update SET reading = CASE WHEN update_id = $2 THEN $3::jsonb ELSE reading END,
           held_until = least(clock_timestamp() + $4 * interval '1 ms', greatest(clock_timestamp(), (
             SELECT min(first.received_at) FROM telegram_update first WHERE first.update_id = $5) + $6 * interval '1 ms'))
         WHERE update_id = ANY($1::bigint[]) RETURNING held_until)
       SELECT extract(epoch FROM max(held_until) - clock_timestamp())::float8 * 1000 AS ms FROM held`,
      [
        ids,
        row.update_id,
        reading === null ? null : JSON.stringify(reading),
        HOLD_MS,
        ids[0],
        LONGEST_HOLD_MS,
      ],
    )
    if (parts.length === 0) await acknowledge(deps, tx, row.payload)
    tx.afterCommit(() => {
      held.set(row.key, ids)
      fireIn(row.key, ms)
    })
  }

  const remember = (key: string, message: NonNullable<Update['message']>): void => {
    lastRequest.delete(key)
    lastRequest.set(key, { at: performance.now(), date: message.date, messageId: message.message_id })
    const [oldest] = lastRequest.keys()
    if (lastRequest.size > MOST_REMEMBERED && oldest !== undefined) lastRequest.delete(oldest)
  }

  const groupOf = (rows: readonly StoredUpdate[]): Group | null => {
    const [first, last] = [rows[0], rows.at(-1)]
    if (!first?.payload.message || !last) return null
    const text = joinParts(rows.map((row) => row.payload.message?.text ?? ''))
    const { entities, ...message } = first.payload.message
    // Words of somebody else stay theirs, whichever part they are.
    const others = rows.map((row) => row.payload.message).find((part) => part && isOthersWords(part))
    const { forward_origin, via_bot } = others ?? {}
    const marks = { ...(forward_origin ? { forward_origin } : {}), ...(via_bot ? { via_bot } : {}) }
    // A part of a text has no more than the command at its beginning that counts.
    const command = (entities ?? []).filter((entity) => entity.type === 'bot_command' && entity.offset === 0)
    return {
      update: {
        update_id: last.update_id,
        message: { ...message, ...marks, text, entities: command },
      } as Update,
      ids: rows.map((row) => row.update_id),
      heard: { dropped: false, follows: first.reading?.follows ?? null },
    }
  }

  return {
    heldOf: (key: string): number[] => held.get(key) ?? [],

    /** Whether an update waits for more; else what is handled before it, and what it makes void. */
    place: async (tx: Tx, row: StoredUpdate): Promise<Placed> => {
      const { key, payload } = row
      const { message } = payload
      if (row.held_until !== null) {
        // Held before: by the bot before this one, or it waits already.
        const ids = held.get(key) ?? []
        if (!ids.includes(row.update_id))
          held.set(
            key,
            [...ids, row.update_id].sort((a, b) => a - b),
          )
        if (!timers.has(key)) fireIn(key, row.held_until.getTime() - Date.now())
        return { kind: 'held' }
      }
      if (typeof message?.text !== 'string') return { kind: 'now', before: [], dropped: [], stops: false }
      const parts = await rowsOf(tx, key)
      const before = lastRequest.get(key)
      const placing = placeText({
        text: message.text,
        held:
          parts.length > 0
            ? { parts: parts.length, lastDate: parts.at(-1)?.payload.message?.date ?? 0 }
            : null,
        before: before ? { agoMs: performance.now() - before.at, date: before.date } : null,
        date: message.date,
        answers: parts.length === 0 && before !== undefined && (await isAsked(tx, key)),
      })
      if (placing === 'hold' && (parts.length > 0 || (await isHeard(tx, payload)))) {
        const follows = parts.length === 0 ? before?.messageId : undefined
        await hold(tx, row, parts, follows === undefined ? null : { follows })
        tx.afterCommit(() => remember(key, message))
        return { kind: 'held' }
      }
      // Somebody else's words stop nothing (bot/middleware/permitted.ts), so they leave nothing out.
      const stops = isStop(message.text) && !isOthersWords(message)
      const begins = !message.text.startsWith('/') && understand(message.text).kind === 'request'
      // Nothing goes on with an answer to what the bot has asked.
      if (begins && !(await isAsked(tx, key))) tx.afterCommit(() => remember(key, message))
      if (parts.length > 0 && (stops || placing === 'apart')) tx.afterCommit(() => forget(key))
      const group = placing === 'apart' ? groupOf(parts) : null
      return {
        kind: 'now',
        before: group ? [group] : [],
        dropped: stops ? parts.map((part) => part.update_id) : [],
        stops,
      }
    },

    /** The parts of a key as one update, locked in this transaction; null while they wait, or when they are gone. */
    due: async (tx: Tx, key: string): Promise<Group | null> => {
      const rows = await rowsOf(tx, key)
      const [{ ms } = { ms: 0 }] = await tx.query<{ ms: number }>(
        'SELECT extract(epoch FROM max(held_until) - clock_timestamp())::float8 * 1000 AS ms FROM telegram_update WHERE update_id = ANY($1::bigint[])',
        [rows.map((row) => row.update_id)],
      )
      if (rows.length > 0 && ms > 0) {
        fireIn(key, ms)
        return null
      }
      tx.afterCommit(() => forget(key))
      return groupOf(rows)
    },

    isHeard,

    /** It was, or may be, no request: what comes right behind it does not go on with it. */
    noRequest: (key: string): void => void lastRequest.delete(key),

    /** Keeps an update while a model is asked about it. */
    keepAsking: async (tx: Tx, row: StoredUpdate): Promise<void> => {
      await tx.query(
        `UPDATE telegram_update SET reading = '{"asking": true}', held_until = clock_timestamp() + $2 * interval '1 ms' WHERE update_id = $1`,
        [row.update_id, READ_MS],
      )
      await acknowledge(deps, tx, row.payload)
    },

    begin: (): Promise<unknown> =>
      deps.db.query(
        `UPDATE telegram_update SET held_until = clock_timestamp() + $1 * interval '1 ms' WHERE handled_at IS NULL AND held_until IS NOT NULL`,
        [HOLD_MS],
      ),

    stop: (): void => {
      stopped = true
      for (const timer of timers.values()) clearTimeout(timer)
    },
  }
}

/** A stop word, or /cancel, leaves out what its sender is writing. */
const isStop = (text: string): boolean => /^\/cancel(?:@\w+)?(?!\w)/.test(text) || isStopWord(text, ['stop'])

/** Whether anything comes of what this person writes here: strangers, and groups that are not paired, get no sign. */
async function isHeard(tx: Tx, update: Update): Promise<boolean> {
  const { from, chat } = partiesOf(update)
  const rows = await tx.query(
    `SELECT 1 FROM person WHERE telegram_id = $1 AND role IS NOT NULL
     AND ($2::bigint > 0 OR EXISTS (SELECT 1 FROM chat WHERE id = $2 AND paired_at IS NOT NULL))`,
    [from?.id ?? 0, chat?.id ?? 0],
  )
  return rows.length > 0
}

/** "typing": it has been heard, and more is waited for. */
async function acknowledge(deps: BotDeps, tx: Tx, update: Update): Promise<void> {
  const { chat, topicId } = partiesOf(update)
  if (chat) await sayTyping(tx, deps.bus, { chatId: chat.id, topicId }, `typing:${update.update_id}`)
}
