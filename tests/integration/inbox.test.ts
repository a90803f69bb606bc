import fc from 'fast-check'
import type { Update } from 'grammy/types'
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, test } from 'vitest'
import { createInbox } from '../../bot/intake/handleInbox.ts'
import { takeIn } from '../../bot/intake/poll.ts'
import { storeUpdates } from '../../bot/intake/storeUpdates.ts'
import { startBot } from '../../bot/main.ts'
import { setPlace } from '../../core/fleet/choosePlace.ts'
import { meetPerson } from '../../core/people/people.ts'
import { startProcess } from '../support/childProcess.ts'
import { openTestControl, type TestControl } from '../support/control.ts'
import { newDatabase, type TestDatabase } from '../support/database.ts'
import { addMachine } from '../support/fleet.ts'
import { StubTelegram } from '../support/stubTelegram.ts'

const ana = { id: 501, is_bot: false, first_name: 'Ana' }
const chat = { id: ana.id, type: 'private' as const, first_name: 'Ana' }
const limits = {
  chatBurst: 1e6,
  groupPerMinute: 1e6,
  perSecond: 1e6,
  firstEditMs: 0,
  editGapMs: 20,
  groupEditGapMs: 20,
}

let next = 1
const message = (text: string, more: object = {}): Update => {
  next += 1
  const entities = text.startsWith('/')
    ? [{ type: 'bot_command' as const, offset: 0, length: text.split(/\s/)[0]?.length ?? 0 }]
    : []
  return {
    update_id: next,
    message: { message_id: next, date: 0, chat, from: ana, text, entities, ...more },
  } as Update
}

let database: TestDatabase
let control: TestControl
let telegram: StubTelegram
let bot: ReturnType<typeof startBot> | null = null
const deps = () => ({
  ...control.deps,
  ownerIds: [ana.id],
  redact: control.redact,
  gatewayUrl: 'http://127.0.0.1:8766',
})
const connection = () => ({
  kind: 'polling' as const,
  token: control.secrets.botToken,
  apiRoot: telegram.url,
})
const begin = (log = control.deps.log): void => {
  bot = startBot({ ...deps(), log }, connection(), { limits, leaseMs: 1000 })
}
/** For updates that are meant to fail: each try of them is an error in the log. */
const quiet = (): typeof control.deps.log => {
  const ignore = () => control.deps.log
  return { error: ignore, warn: ignore, info: ignore, debug: ignore } as never
}

beforeAll(async () => {
  database = await newDatabase()
  control = await openTestControl({ databaseUrl: database.url })
  const machine = await addMachine(control.deps, { name: 'laptop' })
  const person = await meetPerson(control.deps.db, { id: ana.id, name: 'Ana' }, [ana.id])
  await setPlace(
    control.deps.db,
    { chatId: chat.id, topicId: 0, personId: person.id },
    { agentId: machine.agentId, cwd: machine.root },
  )
})
afterAll(async () => {
  await control?.close()
  await database?.drop()
})
beforeEach(async () => {
  telegram = await new StubTelegram().start()
})
afterEach(async () => {
  await bot?.stop()
  bot = null
  await telegram.stop()
})

/** How many answers to `/policy echo WORD` were sent. */
const answers = (word: string): number => telegram.texts(ana.id).filter((text) => text.includes(word)).length
const runsOf = (request: string) => control.deps.db.query('SELECT 1 FROM run WHERE request = $1', [request])
const open = () => control.deps.db.query('SELECT 1 FROM telegram_update WHERE handled_at IS NULL')

describe('updates', () => {
  test('the same one many times over is handled once', async () => {
    begin()
    const update = message('/run echo same-one')
    telegram.give(update, update)
    await telegram.until(() => telegram.texts(ana.id).length > 0)
    telegram.give(update)
    const after = message('/policy echo after-same')
    telegram.give(after, update, after)
    await telegram.until(() => answers('after-same') > 0)
    expect(await runsOf('echo same-one')).toHaveLength(1)
    expect(answers('after-same')).toBe(1)
  })

  test('that came while no bot ran are handled in their order when one does', async () => {
    const words = Array.from({ length: 20 }, (_, i) => `down-${i}-`)
    telegram.give(...words.map((word) => message(`/policy echo ${word}`)))
    begin()
    await telegram.until(() => answers('down-19-') > 0)
    const order = telegram.texts(ana.id).flatMap((text) => /down-\d+-/.exec(text)?.[0] ?? [])
    expect(order).toEqual(words)
  })

  test('stored, and then nothing: the next bot takes them up', async () => {
    await storeUpdates(control.deps, [message('/policy echo stored-1'), message('/policy echo stored-2')])
    begin()
    await telegram.until(() => answers('stored-2') > 0)
    expect([answers('stored-1'), answers('stored-2')]).toEqual([1, 1])
  })

  test('that were handled keep their id alone: no word of them, and what was read in them, is left', async () => {
    begin()
    const words = ['remember that the attic is full of schnickschnack', 'M1 schnickschnack', 'schnickschnack']
    telegram.give(...words.map((word) => message(`/memory ${word}`)), message('/policy echo after-words'))
    await telegram.until(() => answers('after-words') > 0)
    expect(await open()).toEqual([])
    const kept = await control.deps.db.query(
      "SELECT * FROM telegram_update WHERE payload <> jsonb_build_object('update_id', update_id) OR reading IS NOT NULL",
    )
    expect(kept).toEqual([])
  })

  test('stored by a call whose answer was lost: given again, they are handled', async () => {
    const update = message('/policy echo answer-lost')
    await storeUpdates(control.deps, [update])
    const handled: number[] = []
    const inbox = createInbox(deps(), async (_tx, u) => void handled.push(u.update_id))
    await takeIn(deps(), inbox, [update])
    await inbox.idle()
    await takeIn(deps(), inbox, [update, update])
    await inbox.idle()
    expect(handled).toEqual([update.update_id])
  })

  test('the bot killed in the middle of handling: handled by the next one, once, with all that belongs to it', async () => {
    for (let round = 0; round < 2; round++) {
      const request = `echo killed-${round}`
      const client = await control.deps.db.pool.connect()
      await client.query('BEGIN')
      await client.query('LOCK TABLE run IN EXCLUSIVE MODE')
      const child = await startProcess({
        control: { databaseUrl: database.url, secrets: control.secrets, poolSize: 5 },
        bot: { apiRoot: telegram.url, ownerIds: [ana.id] },
      })
      telegram.give(message(`/run ${request}`))
      const waiting =
        "SELECT 1 FROM pg_stat_activity WHERE wait_event_type = 'Lock' AND query LIKE '%INSERT INTO run%' AND datname = current_database()"
      while ((await control.deps.db.query(waiting)).length === 0)
        await new Promise((resolve) => setTimeout(resolve, 10))
      await child.kill()
      await client.query('COMMIT')
      client.release()
      const sent = telegram.texts(ana.id).length
      begin()
      await telegram.until(() => telegram.texts(ana.id).length > sent)
      expect(await runsOf(request)).toHaveLength(1)
      await bot?.stop()
      bot = null
      expect(await open()).toEqual([])
    }
  })

  test('handling that fails twice is tried again; one that always fails is set aside, told, and holds nothing up', async () => {
    const handled: string[] = []
    let failures = 0
    const silent = { ...deps(), log: quiet() }
    const inbox = createInbox(silent, async (tx, u) => {
      const text = u.message?.text ?? ''
      await tx.query('INSERT INTO installation (key, value) VALUES ($1, $2)', [`seen:${u.update_id}`, '1'])
      if (text === 'always') throw new Error('never')
      if (text === 'twice' && ++failures <= 2) throw new Error('not yet')
      handled.push(text)
    })
    const [always, twice, fine] = [message('always'), message('twice'), message('fine')]
    await takeIn(silent, inbox, [always, twice, fine])
    await inbox.idle()
    expect(handled).toEqual(['twice', 'fine'])
    expect(await open()).toEqual([])
    const seen = await control.deps.db.query("SELECT key FROM installation WHERE key LIKE 'seen:%'")
    expect(seen).toHaveLength(2)
    begin()
    await telegram.until(() => telegram.texts(ana.id).some((text) => text.includes(`u${always.update_id}`)))
  })

  test('two bots at once: one serves, the other waits for it to go', async () => {
    begin()
    telegram.give(message('/policy echo first-bot'))
    await telegram.until(() => answers('first-bot') === 1)
    const second = startBot(deps(), connection(), { limits, leaseMs: 1000 })
    expect(second.ready()).toBe(false)
    await bot?.stop()
    bot = second
    telegram.give(message('/policy echo second-bot'))
    await telegram.until(() => answers('second-bot') === 1)
    expect(answers('first-bot')).toBe(1)
  })
})

describe('a conversation', () => {
  test('takes no answer twice, whatever is delivered again', async () => {
    begin()
    telegram.give(message('/plan'))
    await telegram.until(() => telegram.texts(ana.id).some((t) => t.includes('What should be done')))
    const answer = message('echo twice-answered')
    telegram.give(answer, answer)
    await telegram.until(() => telegram.texts(ana.id).some((t) => t.includes('Anything to keep in mind')))
    telegram.give(answer, message('/policy echo meanwhile'), answer)
    await telegram.until(() => answers('meanwhile') === 1)
    expect(await runsOf('echo twice-answered')).toEqual([])
    telegram.give(message('with care'))
    await telegram.until(() => telegram.texts(ana.id).some((t) => t.includes('planning')))
    expect(
      await control.deps.db.query("SELECT 1 FROM run WHERE request LIKE 'echo twice-answered%with care'"),
    ).toHaveLength(1)
    expect(telegram.texts(ana.id).filter((t) => t.includes('Anything to keep in mind'))).toHaveLength(1)
  })
})

// --- whatever comes ------------------------------------------------------------------------------------------------

const oddText = fc.oneof(
  fc.string({ unit: 'binary', maxLength: 60 }),
  fc.constantFrom(
    '',
    ' ',
    '/',
    '/run',
    '/run \0',
    '\0\0',
    '\\u0000',
    '\ud800',
    '\udc00 lone',
    '/plan',
    '/cancel',
    '/cancel #99999999999999999999',
    '/status #-1',
    '/runs %_\\',
    '/use \ud83d',
    '/approve ‮K7',
    `/run ${'x'.repeat(60_000)}`,
    '😀'.repeat(5000),
    '<b>&lt;/code>',
    '/policy "',
    "/policy '$(((",
    '/logs 2147483648',
    '/pair __proto__',
  ),
  fc.integer({ min: 3990, max: 4200 }).map((n) => `/run ${'a'.repeat(n)}😀😀`),
)
const oddId = fc.oneof(fc.constantFrom(ana.id, 0, -1, -1_000_000_000_001, 2 ** 52, 1.5), fc.integer())
const oddUser = fc.oneof(
  fc.constant(ana),
  fc.record({ id: oddId, is_bot: fc.boolean(), first_name: fc.oneof(oddText, fc.constant(undefined)) }),
  fc.constantFrom(undefined, null, {}, 'ana', 7),
)
const oddChat = fc.oneof(
  fc.constant(chat),
  fc.record({
    id: oddId,
    type: fc.constantFrom('private', 'group', 'supergroup', 'channel', 'odd'),
    title: fc.oneof(oddText, fc.constant(undefined)),
  }),
  fc.constantFrom(undefined, null, {}, 'chat'),
)
const oddMessage = fc.record(
  {
    message_id: fc.oneof(fc.nat(), fc.constantFrom(-1, 1e12, 'x', undefined)),
    date: fc.nat(),
    chat: oddChat,
    from: oddUser,
    text: fc.oneof(oddText, fc.constantFrom(undefined, 7, null, [], {})),
    entities: fc.oneof(
      fc.constant(undefined),
      fc.array(
        fc.record({
          type: fc.constantFrom('bot_command', 'odd'),
          offset: fc.integer(),
          length: fc.integer(),
        }),
        { maxLength: 3 },
      ),
    ),
    reply_to_message: fc.constantFrom(undefined, {}, { message_id: 1 }, { message_id: 'x' }),
    photo: fc.constantFrom(undefined, [{ file_id: 'x' }]),
    migrate_to_chat_id: fc.constantFrom(undefined, undefined, undefined, 'x'),
  },
  { requiredKeys: [] },
)
const oddUpdate = fc.oneof(
  fc.record({ message: oddMessage }),
  fc.record({ edited_message: oddMessage }),
  fc.record({
    callback_query: fc.record(
      {
        id: fc.oneof(fc.string(), fc.constantFrom(7, undefined)),
        from: oddUser,
        message: fc.oneof(oddMessage, fc.constant(undefined)),
        data: fc.oneof(oddText, fc.constantFrom('A'.repeat(22), undefined)),
      },
      { requiredKeys: [] },
    ),
  }),
  fc.record({ my_chat_member: fc.record({ chat: oddChat, from: oddUser }) }),
  fc.record({ unknown_kind: fc.anything() }),
  fc.constant({}),
  fc.anything().map((value) => ({ message: value })),
)

test('200 updates of every odd kind never stop the bot, and every good one between them is answered once', {
  timeout: 60_000,
}, async () => {
  begin(quiet())
  let n = 0
  await fc.assert(
    fc.asyncProperty(fc.array(oddUpdate, { minLength: 10, maxLength: 10 }), async (odd) => {
      n += 1
      const good = message(`/policy echo good-${n}-`)
      const before = odd.slice(0, 5).map((u) => {
        next += 1
        return { ...u, update_id: next }
      })
      const last = message(`/policy echo last-${n}-`)
      const after = odd.slice(5).map((u) => {
        next += 1
        return { ...u, update_id: next }
      })
      telegram.give(...before, good, ...after, last)
      await telegram.until(() => answers(`good-${n}-`) > 0 && answers(`last-${n}-`) > 0)
      expect([answers(`good-${n}-`), answers(`last-${n}-`)]).toEqual([1, 1])
      telegram.give(message('/cancel'))
    }),
    { numRuns: 20, endOnFailure: true },
  )
  await bot?.stop()
  bot = null
  expect(await open()).toEqual([])
})
