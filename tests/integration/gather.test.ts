import { randomInt } from 'node:crypto'
import fc from 'fast-check'
import type { Update } from 'grammy/types'
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, test } from 'vitest'
import { createInbox } from '../../bot/intake/handleInbox.ts'
import { takeIn } from '../../bot/intake/poll.ts'
import { startBot } from '../../bot/main.ts'
import { setPlace } from '../../core/fleet/choosePlace.ts'
import { meetPerson } from '../../core/people/people.ts'
import { startProcess } from '../support/childProcess.ts'
import { openTestControl, type TestControl } from '../support/control.ts'
import { newDatabase, type TestDatabase } from '../support/database.ts'
import { addMachine } from '../support/fleet.ts'
import { StubTelegram } from '../support/stubTelegram.ts'

/* Several messages that are one request: they wait for each other in the inbox, and become one run. */

const ana = { id: 601, is_bot: false, first_name: 'Ana' }
const bo = { id: 602, is_bot: false, first_name: 'Bo' }
const group = -1_000_000_000_601
const limits = {
  chatBurst: 1e6,
  groupPerMinute: 1e6,
  perSecond: 1e6,
  firstEditMs: 0,
  editGapMs: 20,
  groupEditGapMs: 20,
}

let next = 1
type Said = { from?: typeof ana; chat?: number; topic?: number; date?: number; sentOn?: boolean }
const said = (
  text: string,
  { from = ana, chat = from.id, topic, date = 1000, sentOn = false }: Said = {},
): Update => {
  next += 1
  const entities = text.startsWith('/')
    ? [{ type: 'bot_command' as const, offset: 0, length: text.split(/\s/)[0]?.length ?? 0 }]
    : []
  return {
    update_id: next,
    message: {
      message_id: next,
      date,
      chat:
        chat > 0
          ? { id: chat, type: 'private', first_name: 'x' }
          : { id: chat, type: 'supergroup', title: 'g' },
      from,
      text,
      entities,
      ...(topic ? { message_thread_id: topic, is_topic_message: true } : {}),
      ...(sentOn ? { forward_origin: { type: 'hidden_user', sender_user_name: 'x', date } } : {}),
    },
  } as Update
}

let database: TestDatabase
let control: TestControl
let telegram: StubTelegram
let bot: ReturnType<typeof startBot> | null = null
const deps = () => ({
  ...control.deps,
  ownerIds: [ana.id, bo.id],
  redact: control.redact,
  gatewayUrl: 'http://127.0.0.1:8766',
})
const begin = (): void => {
  const connection = { kind: 'polling' as const, token: control.secrets.botToken, apiRoot: telegram.url }
  bot = startBot(deps(), connection, { limits, leaseMs: 1000 })
}

beforeAll(async () => {
  database = await newDatabase()
  control = await openTestControl({ databaseUrl: database.url })
  const machine = await addMachine(control.deps, { name: 'laptop' })
  await control.deps.db.query(
    "INSERT INTO chat (id, kind, title, paired_at) VALUES ($1, 'supergroup', 'g', clock_timestamp())",
    [group],
  )
  for (const who of [ana, bo]) {
    const person = await meetPerson(control.deps.db, { id: who.id, name: who.first_name }, [ana.id, bo.id])
    for (const chatId of [who.id, group])
      for (const topicId of [0, 1, 2])
        await setPlace(
          control.deps.db,
          { chatId, topicId, personId: person.id },
          { agentId: machine.agentId, cwd: machine.root },
        )
  }
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
  await control.deps.db.query(
    "UPDATE run SET status = 'cancelled', ended_at = clock_timestamp() WHERE ended_at IS NULL",
  )
})

const runs = (like = '%') =>
  control.deps.db.query<{
    number: number
    request: string
    status: string
    chat_id: number
    topic_id: number
  }>('SELECT number, request, status, chat_id, topic_id FROM run WHERE request LIKE $1 ORDER BY number', [
    like,
  ])
const open = () => control.deps.db.query('SELECT 1 FROM telegram_update WHERE handled_at IS NULL')
/** Waits until nothing is held or unhandled any more. */
async function settled(): Promise<void> {
  const deadline = Date.now() + 15_000
  while ((await open()).length > 0) {
    if (Date.now() > deadline) throw new Error('updates stay unhandled')
    await new Promise((resolve) => setTimeout(resolve, 25))
  }
}
/** Hands updates out, and waits until the inbox has them. */
async function give(...updates: Update[]): Promise<void> {
  telegram.give(...updates)
  const ids = [...new Set(updates.map((update) => update.update_id))]
  const stored = 'SELECT 1 FROM telegram_update WHERE update_id = ANY($1::bigint[])'
  while ((await control.deps.db.query(stored, [ids])).length < ids.length)
    await new Promise((resolve) => setTimeout(resolve, 10))
}
const typed = (): number => telegram.sent.filter((sent) => sent.method === 'sendChatAction').length
/** A text that Telegram parts in three, with marks to find them by. */
const paste = (mark: string): [string, string, string] => [
  `${mark} begins ${'alpha '.repeat(670)}`.trim(),
  `middle ${'beta '.repeat(800)}`.trim(),
  `end of ${mark}`,
]

describe('a long text in parts', () => {
  test('is one request, acknowledged at once', async () => {
    begin()
    const parts = paste('long-one')
    await give(...parts.map((part) => said(part)))
    await telegram.until(() => typed() === 1)
    expect(await runs('long-one%')).toEqual([])
    await settled()
    expect((await runs('%long-one%')).map((run) => run.request)).toEqual([parts.join('\n')])
    await telegram.until(() => telegram.texts(ana.id).some((text) => text.includes('planning')))
    expect(typed()).toBe(1)
  })

  test('whose parts come one by one, each delivered twice, is one request', async () => {
    begin()
    const parts = paste('long-two')
    for (const update of parts.map((part) => said(part))) {
      await give(update, update)
      await new Promise((resolve) => setTimeout(resolve, 100))
    }
    await settled()
    expect((await runs('%long-two%')).map((run) => run.request)).toEqual([parts.join('\n')])
  })

  test('asked for with /plan is one request too; a command that may be cut is not run at all', async () => {
    begin()
    const [first, , third] = paste('long-plan')
    await give(said(`/plan ${first}`), said(third))
    await settled()
    expect((await runs('%long-plan%')).map((run) => run.request)).toEqual([`${first}\n${third}`])
    await give(said(`/run echo ${'x'.repeat(4085)}`, { date: 2000 }))
    await telegram.until(() =>
      telegram.texts(ana.id).some((text) => text.includes('This command is too long')),
    )
    expect(await runs('echo xxx%')).toEqual([])
  })

  test('a stop word in between is obeyed at once, and leaves out what was written', async () => {
    begin()
    const [first, second] = paste('long-stop')
    await give(said(first), said(second), said('stop!'))
    await telegram.until(() =>
      telegram.texts(ana.id).some((text) => text.includes('Left out what you were writing')),
    )
    expect(await open()).toEqual([])
    await give(said('/policy echo afterwards'))
    await telegram.until(() => telegram.texts(ana.id).some((text) => text.includes('afterwards')))
    expect(await runs('%long-stop%')).toEqual([])
    expect(telegram.texts(ana.id).filter((text) => text.includes('Nothing of yours'))).toEqual([])
  })

  test('somebody else’s stop word, sent on in between, is refused and leaves out nothing', async () => {
    begin()
    const [first, second, third] = paste('long-sent-on')
    for (const word of ['stop!', '/cancel']) {
      const refused = () =>
        telegram.texts(ana.id).filter((text) => text.includes('Somebody else wrote that')).length
      const before = refused()
      await give(said(first), said(word, { sentOn: true }), said(second), said(third))
      await telegram.until(() => refused() > before)
      await settled()
    }
    const whole = [first, second, third].join('\n')
    expect((await runs('%long-sent-on%')).map((run) => run.request)).toEqual([whole, whole])
  })

  test('commands and questions in between are answered before it, and it stays whole', async () => {
    begin()
    const parts = paste('long-asked')
    await give(said(parts[0]), said('/policy echo between'), said('how far?'), said(parts[1]), said(parts[2]))
    await telegram.until(() => telegram.texts(ana.id).some((text) => text.includes('between')))
    await settled()
    expect((await runs('%long-asked%')).map((run) => run.request)).toEqual([parts.join('\n')])
  })

  test('the bot killed between its parts: nothing is lost, and the rest joins', async () => {
    const [first, second, third] = paste('long-killed')
    const child = await startProcess({
      control: { databaseUrl: database.url, secrets: control.secrets, poolSize: 5 },
      bot: { apiRoot: telegram.url, ownerIds: [ana.id, bo.id] },
    })
    await give(said(first), said(second))
    await telegram.until(() => typed() === 1, 30_000)
    await child.kill()
    expect(await runs('%long-killed%')).toEqual([])
    telegram.give(said(third))
    begin()
    while (
      (await control.deps.db.query('SELECT 1 FROM telegram_update WHERE update_id = $1', [next])).length === 0
    )
      await new Promise((resolve) => setTimeout(resolve, 10))
    await settled()
    await telegram.until(() => telegram.texts(ana.id).length > 0)
    await settled()
    const made = await runs('%long-killed%')
    expect(made.map((run) => run.request).join('\n')).toBe([first, second, third].join('\n'))
  })
})

describe('several quick messages', () => {
  test('are one request: what had not begun is taken together with the rest', async () => {
    begin()
    await give(said('frobnicate the quick-one'), said('in the second paragraph'), said('and then tell me'))
    await telegram.until(() => telegram.texts(ana.id).some((text) => text.includes('Taken together with')))
    const made = await runs('%quick-one%')
    expect(made.map((run) => [run.request, run.status])).toEqual([
      ['frobnicate the quick-one', 'cancelled'],
      ['frobnicate the quick-one\nin the second paragraph\nand then tell me', 'planning'],
    ])
  })

  test('a text that plainly goes on waits for the rest', async () => {
    begin()
    await give(said('please do this with quick-two:'), said('frobnicate it'))
    await settled()
    expect((await runs('%quick-two%')).map((run) => run.request)).toEqual([
      'please do this with quick-two:\nfrobnicate it',
    ])
  })

  test('messages of different minutes that arrive together are not', async () => {
    begin()
    await give(said('frobnicate apart-1', { date: 1000 }), said('frobnicate apart-2', { date: 1060 }))
    await settled()
    expect((await runs('%apart-%')).map((run) => run.request)).toEqual([
      'frobnicate apart-1',
      'frobnicate apart-2',
    ])
  })

  test('one person, one chat, one topic: never across them', async () => {
    begin()
    const here = [
      { from: ana, chat: group, topic: 1 },
      { from: bo, chat: group, topic: 1 },
      { from: ana, chat: group, topic: 2 },
      { from: ana },
      { from: bo },
    ]
    await give(
      ...here.map((at, i) => said(`across ${i} first,`, at)),
      ...here.map((at, i) => said(`across ${i} second`, at)),
    )
    await settled()
    expect((await runs('across %')).map((run) => run.request).sort()).toEqual(
      here.map((_, i) => `across ${i} first,\nacross ${i} second`),
    )
  })

  test('strangers get no sign of it', async () => {
    begin()
    const eve = { id: 699, is_bot: false, first_name: 'Eve' }
    await give(said('x'.repeat(4096), { from: eve }), said('yyy', { from: eve }))
    await telegram.until(() => telegram.texts(eve.id).length > 0)
    await settled()
    expect(typed()).toBe(0)
  })
})

test('whatever is sent, in whatever batches, each text is handled exactly once and in order', async () => {
  const piece = fc.record({
    text: fc.constantFrom(
      'a',
      'b,',
      'stop the web server',
      'ok then',
      'thanks',
      `long ${'w '.repeat(1500)}`,
      'how far?',
    ),
    date: fc.constantFrom(1000, 1001, 1060),
    pause: fc.constantFrom(0, 0, 0, 30),
    batch: fc.boolean(),
  })
  await fc.assert(
    fc.asyncProperty(fc.array(piece, { minLength: 1, maxLength: 10 }), async (pieces) => {
      const handled: string[] = []
      const inbox = createInbox(deps(), async (_tx, update) => void handled.push(update.message?.text ?? ''))
      const chat = randomInt(1e9)
      const updates = pieces.map((one, i) =>
        said(`${one.text} ${i}#`, { from: { ...ana, id: ana.id }, chat, date: one.date }),
      )
      let waiting: Update[] = []
      for (const [i, update] of updates.entries()) {
        waiting.push(update)
        if (pieces[i]?.batch) continue
        await takeIn(deps(), inbox, waiting)
        await takeIn(deps(), inbox, waiting.slice(-1))
        waiting = []
        await new Promise((resolve) => setTimeout(resolve, pieces[i]?.pause ?? 0))
      }
      await takeIn(deps(), inbox, waiting)
      await settled()
      await inbox.idle()
      const marks = handled.flatMap((text) => text.match(/\d+#/g) ?? [])
      expect([...marks].sort()).toEqual(updates.map((_, i) => `${i}#`).sort())
      for (const text of handled) {
        const own = (text.match(/\d+#/g) ?? []).map((mark) => Number.parseInt(mark, 10))
        expect(own).toEqual([...own].sort((a, b) => a - b))
      }
    }),
    { numRuns: 8 },
  )
}, 60_000)
