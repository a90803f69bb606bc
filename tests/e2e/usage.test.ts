import { afterAll, beforeAll, expect, test } from 'vitest'
import { type System, startSystem } from '../support/system.ts'

/* /usage: what language models were used for and cost, as text below a chart. */

let system: System
beforeAll(async () => {
  system = await startSystem({ processes: false })
})
afterAll(() => system.stop())

test('says that nothing was used, then how much, with a chart that the page can show', async () => {
  const first = system.say('/usage')
  await system.message(/No language model was used in 14 days/, { after: first })
  await system.db.query(
    `INSERT INTO model_call (id, question_id, at, ended_at, provider, model, purpose, need, outcome, tokens_in, tokens_out, tokens_cached, cost_usd, ms, first_ms)
     SELECT gen_random_uuid(), gen_random_uuid(), clock_timestamp() - n * interval '1 day', clock_timestamp(), 'gemini', 'gemini-3.8-flash', 'plan', 'balanced', 'answered', 900, 100, 0, 0.002, 900, 300
     FROM generate_series(0, 9) n`,
  )
  const asked = system.say('/usage 7d')
  const told = await system.message(/^Language models/, { after: asked })
  expect(told.caption).toContain('7 days: 7 calls · 7.0K tokens · $0.014')
  expect(told.photo).toMatchObject([{ width: 720, height: 540 }])
  const stored = await system.db.query<{ size: number }>(
    "SELECT length(payload::text) AS size FROM delivery WHERE method = 'sendPhoto'",
  )
  expect(stored[0]?.size).toBeLessThan(4000)
})
