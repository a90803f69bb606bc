import type { Api } from 'grammy'
import { afterEach, beforeEach, expect, test, vi } from 'vitest'
import { type Drafts, watchDrafts } from '../../../bot/cards/watchDrafts.ts'
import type { BotDeps } from '../../../bot/turn.ts'

/* Runs 1 and 2 are of the private chat 7, run 3 of a group. */
const places: Record<string, object> = {
  one: { chat_id: 7, topic_id: 0, number: 1 },
  two: { chat_id: 7, topic_id: 0, number: 2 },
  three: { chat_id: -9, topic_id: 0, number: 3 },
}
type Told = { runId: string; text: string; over: boolean }
let hear: (told: Told) => void
let sent: { draft_id: number; text: string }[]
let marked: number
let drafts: Drafts
let stop: () => void

beforeEach(() => {
  vi.useFakeTimers()
  sent = []
  marked = 0
  drafts = new Map()
  const deps = {
    drafts,
    db: {
      query: async (sql: string, [id]: [string]) =>
        sql.includes('FROM card') ? [{ id: 'card' }] : [places[id]].flatMap((row) => row ?? []),
    },
    bus: {
      subscribe: (_: string, listener: typeof hear) => {
        hear = listener
        return () => {}
      },
    },
    log: { warn: () => {}, error: () => {} },
  } as unknown as BotDeps & { drafts: Drafts }
  const api = { raw: { sendMessageDraft: async (payload: (typeof sent)[0]) => sent.push(payload) } }
  stop = watchDrafts(deps, api as unknown as Api, {
    markCard: () => {
      marked += 1
    },
  })
})
afterEach(() => {
  stop()
  vi.useRealTimers()
})

const tell = async (runId: string, text: string, over = false): Promise<void> => {
  hear({ runId, text, over })
  await vi.advanceTimersByTimeAsync(5)
}
const texts = (): string[] => sent.map(({ draft_id, text }) => `${draft_id} ${text}`)

test('what waits to be shown when planning ends is not shown behind the plan', async () => {
  await tell('one', 'first')
  await tell('one', 'second')
  await tell('one', '', true)
  await vi.advanceTimersByTimeAsync(5000)
  expect(texts()).toEqual(['1 first'])
})

test('the end of one request does not end the preview of another', async () => {
  await tell('one', 'old')
  await tell('two', 'new')
  await tell('one', '', true)
  await tell('one', 'meanwhile')
  await vi.advanceTimersByTimeAsync(1000)
  expect(texts()).toEqual(['1 old', '2 new'])
  await tell('two', '', true)
  await vi.advanceTimersByTimeAsync(1000)
  await tell('one', 'planned anew')
  await vi.advanceTimersByTimeAsync(1000)
  expect(texts().at(-1)).toBe('1 planned anew')
})

test('a draft whose planner is gone goes from the card', async () => {
  await tell('three', 'half a pl')
  expect(drafts.get('three')).toBe('half a pl')
  await vi.advanceTimersByTimeAsync(20_000)
  await tell('three', 'half a plan')
  await vi.advanceTimersByTimeAsync(25_000)
  expect(drafts.get('three')).toBe('half a plan')
  const before = marked
  await vi.advanceTimersByTimeAsync(15_000)
  expect([drafts.size, marked]).toEqual([0, before + 1])
  await vi.advanceTimersByTimeAsync(60_000)
  expect(marked).toBe(before + 1)
})
