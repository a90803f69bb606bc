import { afterAll, afterEach, beforeAll, describe, expect, test } from 'vitest'
import { telegramLimits } from '../../bot/delivery/limits.ts'
import type { StoredMessage } from '../../playground/server.ts'
import { ana, bob, buttonsOf, type System, startSystem, textOf } from '../support/system.ts'

/** How often each text stands in a chat. */
const counts = (messages: StoredMessage[], pattern: RegExp): number[] => {
  const found = messages.flatMap((m) => pattern.exec(textOf(m))?.[0] ?? [])
  return [...Map.groupBy(found, (text) => text).values()].map((same) => same.length)
}

describe('when Telegram refuses', () => {
  let system: System
  beforeAll(async () => {
    system = await startSystem()
  })
  afterAll(() => system?.stop())
  afterEach(() => expect(system.faults).toEqual([]))

  test('429 and 5xx at every third call: each message arrives exactly once, in order', async () => {
    let calls = 0
    const end = system.telegram.fail((method) => {
      if (!/^(sendMessage|editMessageText|sendDocument)$/.test(method) || ++calls % 3 !== 0) return null
      return calls % 2 === 0
        ? { error_code: 429, description: 'Too Many Requests: retry after 0.05', retry_after: 0.05 }
        : { error_code: 502, description: 'Bad Gateway' }
    })
    const asked = Array.from({ length: 12 }, (_, i) => `/policy echo number-${i}-`)
    for (const text of asked) system.say(text)
    await system.until(
      () => system.messages().filter((m) => /number-\d+-/.test(textOf(m))).length >= asked.length,
      'every answer',
      20_000,
    )
    end()
    const numbers = system.messages().flatMap((m) => /number-(\d+)-/.exec(textOf(m))?.[1] ?? [])
    expect(numbers).toEqual(asked.map((_, i) => String(i)))
  })

  test('edits refused with 429 and 5xx: the card shows the end all the same', async () => {
    let calls = 0
    const end = system.telegram.fail((method) =>
      method === 'editMessageText' && ++calls <= 3
        ? {
            error_code: calls === 2 ? 500 : 429,
            description: 'no',
            ...(calls === 2 ? {} : { retry_after: 0.05 }),
          }
        : null,
    )
    const number = await system.ask('/run git status')
    await system.message(new RegExp(`#${number} succeeded`))
    end()
    expect(calls).toBeGreaterThan(3)
  })

  test('a send whose answer was cut may come twice; both copies work', async () => {
    let cut = 0
    const end = system.telegram.fail((method, payload) => {
      const { text } = payload as { text?: string }
      if (method !== 'sendMessage' || !/❓.*cut-answer/.test(text ?? '') || cut > 0) return null
      cut += 1
      return { error_code: 0, description: '', dropAnswer: true }
    })
    const number = await system.ask('/run touch cut-answer')
    const copies = await system.until(() => {
      const found = system.messages().filter((m) => /❓.*cut-answer/.test(textOf(m)))
      return found.length === 2 && found
    }, 'both copies')
    end()
    expect(await system.tap('Deny', { on: copies[0]?.message_id ?? 0 })).toContain('Denied')
    expect(
      await system.tap('Deny', { on: copies[1]?.message_id ?? 0 }).catch(() => 'edited meanwhile'),
    ).toMatch(/Already denied|edited meanwhile/)
    await system.runIs(number, 'denied')
  })

  test('HTML that Telegram cannot read goes out as plain text', async () => {
    const end = system.telegram.fail((method, payload) =>
      method === 'sendMessage' && (payload as { parse_mode?: string }).parse_mode
        ? { error_code: 400, description: "Bad Request: can't parse entities: unexpected end tag" }
        : null,
    )
    const said = system.say('/policy echo "a < b && c > d"')
    const answer = await system.message(/a < b && c > d/, { after: said })
    end()
    expect(answer.entities ?? []).toEqual([])
  })

  test('text full of markup, emoji and great length arrives whole, in as many messages as it takes', async () => {
    const words = Array.from({ length: 2000 }, (_, i) => `<b>&${i}😀`).join('')
    const said = system.say(`/use ${words.slice(0, 4090)}`)
    await system.message(/Pick one:/, { after: said })
    const parts = system.messages().filter((m) => m.message_id > said)
    expect(parts.length).toBeGreaterThan(1)
    expect(parts.map(textOf).join('')).toContain(words.slice(0, 4000))
    expect(parts.slice(0, -1).flatMap(buttonsOf)).toEqual([])
  })

  test('a message that cannot be made does not hold up its chat', async () => {
    await system.db.query("INSERT INTO delivery (chat_id, method, payload) VALUES ($1, 'sendDocument', $2)", [
      ana.id,
      JSON.stringify({ chat_id: ana.id }),
    ])
    const said = system.say('/policy echo after-the-broken-one')
    await system.message(/after-the-broken-one/, { after: said })
    expect(system.faults.splice(0)).toEqual([expect.stringContaining('Telegram will not take message')])
  })

  test('a chat that blocked the bot is left alone, and hears again once it writes', async () => {
    await system.giveRole(bob, 'operator')
    system.say('/status', { from: bob })
    await system.message(/Machines: laptop/, { chat: bob.id })
    const number = await system.ask('/run sleep 1', { from: bob })
    system.telegram.setBotAccess(bob.id, 'blocked', bob)
    await system.runIs(number, 'succeeded')
    await system.until(
      async () =>
        (await system.db.query('SELECT 1 FROM chat WHERE id = $1 AND blocked_at IS NOT NULL', [bob.id]))
          .length > 0,
      'the block to be noticed',
    )
    const said = system.say('/status')
    expect(textOf(await system.message(/Telegram refuses messages to Bob/, { after: said }))).toContain('⚠️')
    system.telegram.setBotAccess(bob.id, 'member', bob)
    const back = system.say('/status', { from: bob })
    await system.message(/Machines: laptop/, { chat: bob.id, after: back })
  })
})

describe("Telegram's own limits", () => {
  let system: System
  beforeAll(async () => {
    system = await startSystem({ limits: telegramLimits })
  })
  afterAll(() => system?.stop())

  test('a lively run meets no 429 and ends with its card telling so', async () => {
    const number = await system.ask(
      '/run for i in 1 2 3 4 5 6 7 8 9 10 11 12 13 14 15 16 17 18 19 20; do echo line $i; sleep 0.1; done',
    )
    await system.runIs(number, 'succeeded', 'awaiting_approval')
    if ((await system.run(number)).status === 'awaiting_approval') {
      await system.tap('Approve')
      await system.runIs(number, 'succeeded')
    }
    await system.message(new RegExp(`#${number} succeeded`))
    expect(system.telegram.calls().filter((c) => c.error_code === 429)).toEqual([])
    const edits = system.telegram.calls().filter((c) => c.method === 'editMessageText')
    const gaps = edits.slice(1).map((c, i) => c.at - (edits[i]?.at ?? 0))
    expect(Math.min(...gaps, 1000)).toBeGreaterThanOrEqual(950)
    expect(counts(system.messages(ana.id), new RegExp(`✅ #${number} succeeded · [\\d:]+\n`))).toEqual([1])
  })
})
