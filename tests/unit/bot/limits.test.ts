import fc from 'fast-check'
import { describe, expect, test } from 'vitest'
import { createLimits, telegramLimits } from '../../../bot/delivery/limits.ts'
import { createLimiter } from '../../../playground/limits.ts'
import { telegramLimits as serverLimits } from '../../../playground/types.ts'

const CHAT = 7
const GROUP = -7

/** Sends as soon as the limits let it, and returns when each went out. */
function sendAll(chat: number, count: number, kind: 'send' | 'edit' = 'send'): number[] {
  const limits = createLimits()
  let now = 1_000_000
  return Array.from({ length: count }, () => {
    now += limits.waitFor(chat, kind, now)
    limits.used(chat, kind, now)
    return now - 1_000_000
  })
}

describe('what may go out when', () => {
  test('a chat takes a small burst, then a message a second', () => {
    const [first, ...rest] = sendAll(CHAT, 7)
    expect([first, ...rest]).toEqual([0, 0, 0, 0, 1000, 2000, 3000])
  })

  test('edits are a second apart in a chat and five in a group', () => {
    const gaps = (times: number[]) => times.slice(1).map((at, i) => at - (times[i] ?? 0))
    expect(Math.min(...gaps(sendAll(CHAT, 6, 'edit')))).toBe(telegramLimits.editGapMs)
    expect(gaps(sendAll(GROUP, 4, 'edit'))).toEqual([5000, 5000, 5000])
  })

  test('an edit leaves room for a message: a question never waits behind a card', () => {
    const limits = createLimits()
    let now = 0
    for (let i = 0; i < 20; i++) {
      now += limits.waitFor(CHAT, 'edit', now)
      limits.used(CHAT, 'edit', now)
      expect(limits.waitFor(CHAT, 'send', now)).toBe(0)
    }
  })

  test('the first edit waits a moment after a message, the last edit of a card does not', () => {
    const limits = createLimits()
    limits.used(CHAT, 'send', 10_000)
    expect(limits.waitFor(CHAT, 'edit', 10_000)).toBe(telegramLimits.firstEditMs)
    expect(limits.waitFor(CHAT, 'last edit', 10_000)).toBe(0)
    limits.used(CHAT, 'last edit', 10_350)
    expect(limits.waitFor(CHAT, 'edit', 10_360)).toBe(990)
    expect(limits.waitFor(CHAT, 'last edit', 10_360)).toBe(990)
  })

  test('a group takes twenty messages a minute', () => {
    const times = sendAll(GROUP, 25)
    expect(times[19]).toBeLessThan(60_000)
    expect(times[20]).toBeGreaterThanOrEqual(60_000)
  })

  test('thirty a second in all, whatever the chats', () => {
    const limits = createLimits()
    for (let chat = 1; chat <= 30; chat++) {
      expect(limits.waitFor(chat, 'send', 0)).toBe(0)
      limits.used(chat, 'send', 0)
    }
    expect(limits.waitFor(31, 'send', 0)).toBe(1000)
    expect(limits.waitFor(31, 'send', 1000)).toBe(0)
  })

  test('retry_after holds back that chat alone', () => {
    const limits = createLimits()
    limits.block(CHAT, 3000, 0)
    expect(limits.waitFor(CHAT, 'send', 1000)).toBe(2000)
    expect(limits.waitFor(CHAT + 1, 'send', 1000)).toBe(0)
  })

  test('who keeps to them never meets a 429 of the local Telegram', () => {
    const step = fc.record({
      kind: fc.constantFrom('send' as const, 'edit' as const, 'last edit' as const),
      chat: fc.constantFrom(1, 2, -3),
      idle: fc.integer({ min: 0, max: 2500 }),
    })
    fc.assert(
      fc.property(fc.array(step, { maxLength: 80 }), (steps) => {
        let now = 1_000_000
        const limits = createLimits()
        const server = createLimiter(serverLimits, () => now)
        for (const { kind, chat, idle } of steps) {
          now += idle
          now += limits.waitFor(chat, kind, now)
          limits.used(chat, kind, now)
          expect(() => server.take(chat)).not.toThrow()
        }
      }),
    )
  })
})
