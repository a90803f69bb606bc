import { afterAll, beforeAll, expect, test } from 'vitest'
import { readModelSettings } from '../../core/config/model.ts'
import type { Completion, Model } from '../../core/llm/model.ts'
import { openModel } from '../../core/llm/openModel.ts'
import { testLog } from '../support/control.ts'
import { type ModelServer, startModelServer } from '../support/modelServer.ts'
import { providerEnv } from '../support/providerEnv.ts'
import { type System, startSystem } from '../support/system.ts'

/* A plan by a model, with the ledger: what it cost stands on the outcome, in the record and in the API. */

let server: ModelServer
let down: ModelServer
let system: System
let door: Model | null = null

beforeAll(async () => {
  server = await startModelServer()
  down = await startModelServer([], { provider: 'gemini' })
  down.always({ kind: 'refuse', as: 'server' })
  const settings = readModelSettings({
    ...providerEnv('gemini', down.url),
    ...providerEnv('openai', server.url),
    AI_RUN_TOKENS: '40000',
  })
  const model: Model = {
    ...{ provider: 'gemini', model: 'gemini-3.8-flash', budgets: settings.budgets },
    complete: <T>(req: Completion<T>) => door?.complete(req) ?? Promise.reject(new Error('not open')),
  }
  system = await startSystem({ model })
  door = await openModel(settings, [], { db: system.deps.db, log: testLog })
})
afterAll(async () => {
  await system.stop()
  await server.close()
  await down.close()
})

const step = {
  ...{ key: '1', title: 'List', reason: 'needed', call: { action: 'shell', command: 'ls' }, directory: null },
  ...{ depends_on: [], milestone: null, writes: [], network: false, timeout_s: 60 },
}

test('the outcome says the money, the record who was asked, the API how they do', async () => {
  server.always({
    kind: 'answer',
    content: { cannot: null, summary: 'List them', milestones: [], tasks: [step] },
    tokens_in: 20_000,
    tokens_out: 1000,
  })
  system.say('enumerate the frobnicators here')
  const outcome = await system.message(/#1 succeeded/)
  expect(outcome.text).toMatch(/\$0\.005 · 21\.0k tokens/)
  const run = await system.run(1)
  expect(run.used).toEqual({ tokens: 21_000, usd: (20_000 * 0.2 + 1000 * 1.2) / 1e6, unpriced: 0 })
  const calls = await system.db.query(
    'SELECT provider, outcome, purpose, run_id, person_id FROM model_call ORDER BY at',
  )
  const own = { purpose: 'plan', run_id: run.id, person_id: run.personId }
  expect(calls).toEqual([
    { provider: 'gemini', outcome: 'server', ...own },
    { provider: 'openai', outcome: 'answered', ...own },
  ])
  const answer = await fetch(`${system.apiUrl}/v1/providers/health`, {
    headers: { authorization: `Bearer ${system.control.secrets.apiToken}` },
  })
  expect(await answer.json()).toEqual({
    providers: [
      expect.objectContaining({
        ...{ name: 'gemini', planner: true, health: 'failing' },
        model_health: [
          expect.objectContaining({ health: 'failing', fault: 'server', answered: 0, failed: 1 }),
        ],
      }),
    ],
    budget: { tokens: { used: 21_000, limit: 3_000_000 }, usd: { used: run.used?.usd, limit: null } },
  })
})

test('over the budget is said with what goes on, and playbooks do', async () => {
  await system.db.query('UPDATE model_call SET tokens_in = 4000000 WHERE outcome = $1', ['answered'])
  const asked = system.say('enumerate the other frobnicators')
  const told = await system.message(/#2 failed/, { after: asked })
  expect(told.text).toMatch(/Today's budget for language models does not cover this any more/)
  expect(told.text).toMatch(/Playbooks and \/run go on as before/)
  const next = system.say('what changed?')
  await system.message(/#3 (succeeded|failed)/, { after: next })
  expect((await system.run(3)).source).toMatchObject({ kind: 'playbook' })
})
