import { randomUUID } from 'node:crypto'
import type { Update, UserFromGetMe } from 'grammy/types'
import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import { announceOnce, startCursor } from '../../bot/cards/announce.ts'
import { commands } from '../../bot/commands.ts'
import { createBot } from '../../bot/createBot.ts'
import { newCode } from '../../core/fleet/oneTimeCodes.ts'
import { isLockedDown, setLockdown } from '../../core/people/lockdown.ts'
import type { Tx } from '../../core/storage/sql.ts'
import { openTestControl, type TestControl } from '../support/control.ts'
import { newDatabase, type TestDatabase } from '../support/database.ts'
import { allReadable } from '../support/events.ts'
import { addMachine, startRun } from '../support/fleet.ts'

/* What strangers, floods and a lockdown do in the chat: the bot as a function of updates, on a real ledger. */

const ana = { id: 7_000_001, is_bot: false, first_name: 'Ana' }
const botInfo = { id: 1, is_bot: true, first_name: 'S', username: 'skynet_bot' } as UserFromGetMe
const PER_MINUTE = 10
let database: TestDatabase
let control: TestControl
let handle: (tx: Tx, update: Update) => Promise<void>

beforeAll(async () => {
  database = await newDatabase()
  control = await openTestControl({ databaseUrl: database.url, settings: { chatPerMinute: PER_MINUTE } })
  handle = createBot(deps(), '1:x', botInfo)
})
afterAll(async () => {
  await control?.close()
  await database?.drop()
})

const deps = () => ({ ...control.deps, ownerIds: [ana.id], gatewayUrl: 'http://127.0.0.1:8766' })
const db = () => control.deps.db
let updates = 0
let people = 8_000_000
const somebody = () => ({ id: ++people, is_bot: false, first_name: `P${people}` })
type From = typeof ana
type Chat = { id: number; type: 'private' | 'group' | 'supergroup' | 'channel'; title?: string }
const privately = (from: From): Chat => ({ id: from.id, type: 'private' })

const message = (from: From, text: string, chat: Chat = privately(from), more: object = {}): Update =>
  ({
    update_id: ++updates,
    message: {
      message_id: updates,
      date: 1,
      chat,
      from,
      text,
      ...(text.startsWith('/')
        ? { entities: [{ type: 'bot_command', offset: 0, length: text.split(/\s/)[0]?.length ?? 0 }] }
        : {}),
      ...more,
    },
  }) as Update
const tap = (from: From, data: string, chat: Chat = privately(from)): Update =>
  ({
    update_id: ++updates,
    callback_query: {
      id: `q${updates}`,
      from,
      chat_instance: 'x',
      data,
      message: { message_id: 1, date: 1, chat, text: 'a card' },
    },
  }) as Update

type Sent = { chat_id: number | null; method: string; text: string }
/** Handles updates in order, each in its transaction, and returns what was put into the outbox. */
async function send(...all: Update[]): Promise<Sent[]> {
  const [last] = await db().query<{ id: number }>('SELECT coalesce(max(id), 0) AS id FROM delivery')
  for (const update of all) await db().tx((tx) => handle(tx, update))
  return db().query<Sent>(
    "SELECT chat_id, method, coalesce(payload->>'text', '') AS text FROM delivery WHERE id > $1 ORDER BY id",
    [last?.id],
  )
}
const counts = () =>
  db().query(
    'SELECT (SELECT count(*) FROM run)::int AS runs, (SELECT count(*) FROM approval_decision)::int AS decisions, (SELECT count(*) FROM place_choice)::int AS places, (SELECT count(*) FROM chat)::int AS chats, (SELECT count(*) FROM conversation_state)::int AS conversations',
  )

describe('a stranger', () => {
  test('gets one line whatever they send: every command, text, edits, forwards, replies, media', async () => {
    await send(message(ana, '/start'))
    const eve = somebody()
    const before = await counts()
    const sent = await send(
      message(eve, 'hello'),
      ...commands
        .filter(({ name }) => name !== 'pair')
        .flatMap(({ name }) =>
          [`/${name}`, `/${name} #1`, `/${name}@skynet_bot K7 yes`].map((text) => message(eve, text)),
        ),
      message(eve, 'approve it', privately(eve), {
        reply_to_message: { message_id: 1, date: 1, chat: privately(eve) },
      }),
      message(eve, 'x', privately(eve), { forward_origin: { type: 'user', date: 1, sender_user: ana } }),
      message(eve, 'y', privately(eve), { via_bot: botInfo }),
      { update_id: ++updates, edited_message: message(eve, '/run rm -rf /').message } as Update,
      {
        update_id: ++updates,
        message: { ...message(eve, '').message, text: undefined, photo: [] },
      } as unknown as Update,
    )
    expect(sent.map(({ chat_id }) => chat_id)).toEqual([eve.id])
    expect(sent[0]?.text).toContain('works for its owners only')
    expect(await counts()).toEqual(before)
  })

  test('learns nothing from that line: no machine, no person, no run, no version', async () => {
    await addMachine(control.deps, { name: 'secret-laptop' })
    const [line] = await send(message(somebody(), '/agents'))
    expect(line?.text).not.toMatch(/secret-laptop|Ana|#\d|\d+\.\d+\.\d+|127\.0\.0\.1/)
  })

  test('is greeted again after a day, and not before', async () => {
    const eve = somebody()
    expect(await send(message(eve, 'hi'), message(eve, 'hi'))).toHaveLength(1)
    await db().query("UPDATE person SET greeted_at = greeted_at - interval '23 h' WHERE telegram_id = $1", [
      eve.id,
    ])
    expect(await send(message(eve, 'hi'))).toHaveLength(0)
    await db().query("UPDATE person SET greeted_at = greeted_at - interval '2 h' WHERE telegram_id = $1", [
      eve.id,
    ])
    expect(await send(message(eve, 'hi'), message(eve, 'hi'))).toHaveLength(1)
  })

  test('is not heard in groups, paired or not, in channels, or as an anonymous sender', async () => {
    const eve = somebody()
    const paired: Chat = { id: -5001, type: 'supergroup', title: 'Team' }
    await send(message(ana, '/pair', paired))
    const places: Chat[] = [
      paired,
      { id: -5002, type: 'group', title: 'Other' },
      { id: -5003, type: 'channel', title: 'C' },
    ]
    const anonymous = { ...eve, id: 1_087_968_824, is_bot: true }
    const all = places.flatMap((chat) => [
      message(eve, '/status', chat),
      message(eve, '/pair', chat),
      message(eve, '/pair ABCD-EFGH', chat),
      message(anonymous, '/run ls', chat),
      tap(eve, 'x'.repeat(22), chat),
    ])
    expect(await send(...all)).toEqual([])
  })

  test('guesses no button: 1,000 tries, nothing done and nothing answered', async () => {
    const machine = await addMachine(control.deps)
    await startRun(control.deps, machine, [{ key: 'a', command: 'touch a' }])
    const before = await counts()
    const eve = somebody()
    const random = () => randomUUID().replaceAll('-', '').slice(0, 22)
    const guesses = [
      '',
      'decide',
      '{"do":"cancel"}',
      "' OR 1=1 --",
      `A.${random().slice(2)}`,
      '../..',
      '\0'.repeat(22),
    ]
    const all = Array.from({ length: 1000 }, (_, n) => tap(eve, guesses[n] ?? random()))
    expect(await send(...all)).toEqual([])
    expect(await counts()).toEqual(before)
  })

  test('may try five pairing codes at once: a right one is not looked at until a minute later', async () => {
    const eve = somebody()
    const code = await newCode(db(), 'pair', 60_000, null)
    const wrong = Array.from({ length: 200 }, (_, n) => message(eve, `/pair WRNG-${1000 + n}`))
    await send(...wrong, message(eve, `/pair ${code}`))
    const [row] = await db().query('SELECT role FROM person WHERE telegram_id = $1', [eve.id])
    expect(row).toEqual({ role: null })
    await send(message(somebody(), `/pair ${code}`))
    const [other] = await db().query('SELECT role FROM person WHERE telegram_id = $1', [people])
    expect(other).toEqual({ role: 'owner' })
  })
})

describe('a flood', () => {
  const bob = () => somebody()
  const withRole = async (role: string) => {
    const person = bob()
    await send(message(person, 'hi'))
    await db().query('UPDATE person SET role = $2 WHERE telegram_id = $1', [person.id, role])
    return person
  }

  test('of one person is answered once, and what stops things still passes', async () => {
    const person = await withRole('operator')
    const sent = await send(...Array.from({ length: 200 }, () => message(person, '/help')))
    const told = sent.filter(({ text }) => text.includes('faster than I am'))
    expect(told).toHaveLength(1)
    expect(sent.length - told.length).toBeGreaterThanOrEqual(PER_MINUTE)
    expect(sent.length - told.length).toBeLessThanOrEqual(3 * PER_MINUTE)
    const stopped = await send(message(person, '/cancel'), message(person, '/pause@skynet_bot'))
    expect(stopped).toHaveLength(2)
    expect(stopped.some(({ text }) => text.includes('faster'))).toBe(false)
  })

  test('of taps is answered with when to try again, each of them', async () => {
    const person = await withRole('operator')
    const sent = await send(...Array.from({ length: 50 }, () => tap(person, 'x'.repeat(22))))
    expect(sent).toHaveLength(50)
    expect(sent.every(({ method }) => method === 'answerCallbackQuery')).toBe(true)
    expect(sent.filter(({ text }) => /That was fast/.test(text)).length).toBeGreaterThan(10)
  })

  test('does not hold up anybody else', async () => {
    const person = await withRole('operator')
    await send(...Array.from({ length: 100 }, () => message(person, '/help')))
    const other = await withRole('viewer')
    const [answer] = await send(message(other, '/help'))
    expect(answer?.text).toContain('What I understand')
  })
})

describe('a lockdown', () => {
  const announced = async (): Promise<Sent[]> => {
    const [last] = await db().query<{ id: number }>('SELECT coalesce(max(id), 0) AS id FROM delivery')
    await allReadable(db())
    while ((await announceOnce(deps())) > 0);
    return db().query<Sent>(
      "SELECT chat_id, method, payload->>'text' AS text FROM delivery WHERE id > $1 AND payload->>'text' ~ 'ockdown|ocked' ORDER BY id",
      [last?.id],
    )
  }
  beforeAll(async () => {
    await startCursor(deps())
    await announced()
  })

  test('the question alone locks nothing, nor does “Keep going”, nor anybody else’s tap; the tap of who was asked does', async () => {
    const before = await db().query('SELECT id, status FROM run ORDER BY id')
    const same = async () => {
      expect(await isLockedDown(db())).toBe(false)
      expect(await db().query('SELECT id, status FROM run ORDER BY id')).toEqual(before)
    }
    const [asked] = await send(message(ana, '/lockdown'))
    expect(asked?.text).toMatch(/Lock down\?[\s\S]*cancelled[\s\S]*npm run skynet -- lockdown --lift/)
    const question = async (words: string): Promise<string> =>
      (
        await db().query<{ id: string }>(
          `SELECT b->>'callback_data' AS id FROM (SELECT payload FROM delivery WHERE payload->>'text' ~ 'Lock down\\?' ORDER BY id DESC LIMIT 1) d,
           jsonb_array_elements(payload #> '{reply_markup,inline_keyboard}') row, jsonb_array_elements(row) b WHERE b->>'text' = $1`,
          [words],
        )
      )[0]?.id ?? ''
    await same()
    await send(message(ana, '/lockdown off'), message(ana, '/lockdown nowhere'))
    await same()
    const [go, keep] = [await question('Lock down now'), await question('Keep going')]
    expect(go).toHaveLength(22)
    for (const role of [null, 'operator', 'approver', 'owner'] as const) {
      const other = somebody()
      await send(message(other, 'hello'))
      await db().query('UPDATE person SET role = $2 WHERE telegram_id = $1', [other.id, role])
      await send(tap(other, go))
      await same()
      await db().query('UPDATE person SET role = NULL WHERE telegram_id = $1', [other.id])
    }
    const kept = await send(tap(ana, keep))
    expect(kept.find(({ method }) => method === 'editMessageText')?.text).toContain('everything goes on')
    await same()
    await db()
      .tx(async (tx) => {
        for (let i = 0; i < 2 * PER_MINUTE; i++) await handle(tx, message(ana, 'hello'))
        await handle(tx, tap(ana, go))
        expect(await isLockedDown(tx)).toBe(true)
        throw new Error('taken back')
      })
      .catch((error) => expect(error.message).toBe('taken back'))
    await same()
  })

  test('is an owner’s, cancels everything, and every chat that works here is told, once', async () => {
    const [active] = await db().query<{ n: number }>(
      "SELECT count(*)::int AS n FROM run WHERE status IN ('awaiting_approval', 'running')",
    )
    expect(active?.n).toBeGreaterThan(0)
    await send(message(ana, '/lockdown now'))
    expect(await isLockedDown(db())).toBe(true)
    const left = await db().query(
      "SELECT 1 FROM run WHERE status IN ('awaiting_approval', 'running', 'planning')",
    )
    expect(left).toEqual([])
    const told = await announced()
    const chats = await db().query<{ id: number }>(
      "SELECT id FROM chat WHERE (kind = 'private' AND id IN (SELECT telegram_id FROM person WHERE role IS NOT NULL)) OR paired_at IS NOT NULL",
    )
    expect(told.map(({ chat_id }) => chat_id).sort()).toEqual(chats.map(({ id }) => id).sort())
    expect(told[0]?.text).toContain('Locked down</b> by Ana (7000001)')
    expect(await announced()).toEqual([])
  })

  test('asked again it says so; who is no owner cannot; nobody lifts it from the chat', async () => {
    const [again] = await send(message(ana, '/lockdown'))
    expect(again?.text).toContain('locked down already')
    await send(message(ana, '/lockdown --lift'), message(ana, '/lockdown off'))
    expect(await isLockedDown(db())).toBe(true)
    expect(await announced()).toEqual([])
  })

  test('its end is told as well', async () => {
    await db().tx((tx) => setLockdown(tx, false, { cli: 'root@laptop' }))
    const told = await announced()
    expect(told.length).toBeGreaterThan(1)
    expect(told[0]?.text).toContain('is lifted</b> by command line of root@laptop')
  })
})
