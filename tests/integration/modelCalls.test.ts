import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, test, vi } from 'vitest'
import { z } from 'zod'
import { readModelSettings } from '../../core/config/model.ts'
import { closeLostCalls, recentCalls } from '../../core/llm/callLedger.ts'
import { type Completion, type Model, ModelError } from '../../core/llm/model.ts'
import { openModel } from '../../core/llm/openModel.ts'
import { planByModel } from '../../core/planning/planByModel.ts'
import { type Database, openDatabase } from '../../core/storage/openDatabase.ts'
import { testLog } from '../support/control.ts'
import { newDatabase, type TestDatabase } from '../support/database.ts'
import { type ModelReply, type ModelServer, startModelServer } from '../support/modelServer.ts'
import { providerEnv } from '../support/providerEnv.ts'
import { place } from '../unit/planning/places.ts'

/* The router on a real ledger: health that processes share, budgets that hold, cancels that end on the wire. */

let database: TestDatabase
let db: Database
let openai: ModelServer
let claude: ModelServer

beforeAll(async () => {
  database = await newDatabase()
  db = openDatabase({ url: database.url, poolSize: 10, log: testLog })
})
afterAll(async () => {
  await db.close()
  await database.drop()
})
beforeEach(async () => {
  await db.query('DELETE FROM model_call')
  openai = await startModelServer()
  claude = await startModelServer([], { provider: 'claude' })
})
afterEach(async () => {
  await openai.close()
  await claude.close()
})

const shape = z.object({ ok: z.boolean() })
const question = { purpose: 'test', system: 'Be brief.', user: 'Well?', schema: shape, schemaName: 'x' }
const good: ModelReply = { kind: 'answer', content: { ok: true }, tokens_in: 100, tokens_out: 20 }
const runId = '11111111-1111-4111-8111-111111111111'
const personId = '22222222-2222-4222-8222-222222222222'

type Options = { env?: Record<string, string>; now?: () => number; both?: boolean }
async function router({ env = {}, now, both = true }: Options = {}): Promise<Model> {
  const settings = readModelSettings({
    ...providerEnv('openai', openai.url),
    ...(both ? providerEnv('claude', claude.url) : {}),
    ...env,
  })
  const model = await openModel(settings, [], { db, log: testLog, ...(now ? { now } : {}) })
  if (!model) throw new Error('no model')
  opened.push(model)
  return model
}
const opened: Model[] = []
/** Asks, and waits until that is written down. */
const ask = (model: Model, over: Partial<Completion<unknown>> = {}) =>
  model.complete({ ...question, ...over }).finally(() => model.settled?.())
const failure = (asked: Promise<unknown>): Promise<ModelError> =>
  asked.then(
    () => Promise.reject(new Error('it answered')),
    (error: unknown) => (error instanceof ModelError ? error : Promise.reject(error)),
  )
type Row = {
  provider: string
  outcome: string
  tokens: number
  cost: number
  estimated: boolean
  ended: boolean
}
const rows = async (): Promise<Row[]> => {
  await Promise.all(opened.map((model) => model.settled?.()))
  return db.query<Row>(
    `SELECT provider, outcome, tokens_in + tokens_out AS tokens, cost_usd AS cost, estimated, ended_at IS NOT NULL AS ended FROM model_call ORDER BY at`,
  )
}

describe('the record', () => {
  test('names who asked for what, and what it took', async () => {
    openai.push(good)
    await ask(await router(), { purpose: 'plan', need: 'heavy', runId, personId })
    expect(await db.query('SELECT * FROM model_call')).toEqual([
      expect.objectContaining({
        ...{ provider: 'openai', model: 'gpt-5.6-terra', purpose: 'plan', need: 'heavy' },
        ...{ run_id: runId, person_id: personId, outcome: 'answered', hedge: false, estimated: false },
        ...{ tokens_in: 100, tokens_out: 20, tokens_cached: 0, cost_usd: (100 * 2 + 20 * 12) / 1e6 },
        ...{
          ms: expect.any(Number),
          first_ms: expect.any(Number),
          ended_at: expect.any(Date),
          retry_at: null,
        },
      }),
    ])
  })

  test('leaves a price open that is not known, and takes one that was given', async () => {
    openai.push(good, good)
    await ask(await router({ env: { OPENAI_MODEL: 'gpt-next' } }))
    await ask(await router({ env: { OPENAI_MODEL: 'gpt-next', AI_PRICES: 'openai:gpt-next=10/100' } }))
    expect((await rows()).map((row) => row.cost)).toEqual([null, (100 * 10 + 20 * 100) / 1e6])
  })

  test('closes what a killed process left open', async () => {
    openai.push({ kind: 'hang' })
    const abort = new AbortController()
    const asked = ask(await router(), { signal: abort.signal }).catch(() => {})
    await expect.poll(async () => (await rows()).length).toBe(1)
    await db.query("UPDATE model_call SET at = at - interval '20 min'")
    expect(await closeLostCalls(db)).toBe(1)
    expect(await rows()).toMatchObject([{ outcome: 'lost', ended: true }])
    abort.abort()
    await asked
    expect(await rows()).toMatchObject([{ outcome: 'lost' }])
  })

  test('the ledger is away: the question is answered, unless a budget is set', async () => {
    const gone = openDatabase({ url: database.url, poolSize: 1, log: testLog })
    await gone.close()
    const log = { warn: vi.fn() }
    const off = { AI_DAILY_TOKENS: 'off', AI_RUN_TOKENS: 'off' }
    openai.push(good)
    const env = providerEnv('openai', openai.url)
    const free = await openModel(readModelSettings({ ...env, ...off }), [], { db: gone, log })
    expect(await free?.complete(question)).toMatchObject({ value: { ok: true } })
    const bound = await openModel(readModelSettings(env), [], { db: gone, log })
    expect((await failure(bound?.complete(question) ?? Promise.resolve())).fault).toBe('budget')
    expect(openai.requests).toHaveLength(1)
    expect(log.warn).toHaveBeenCalled()
  })
})

describe('health', () => {
  test('a model that asked for time is left alone, in every process, and asked again afterwards', async () => {
    let now = Date.now()
    const clock = { now: () => now }
    openai.push({ kind: 'error', status: 429, message: 'Slow down', retry_after: 40 })
    claude.always(good)
    const one = await router(clock)
    const other = await router(clock)
    expect((await ask(one)).provider).toBe('claude')
    expect((await ask(one)).provider).toBe('claude')
    expect((await ask(other)).provider).toBe('claude')
    expect(openai.requests).toHaveLength(1)
    // One that starts now learns it from the ledger.
    expect((await ask(await router(clock))).provider).toBe('claude')
    expect(openai.requests).toHaveLength(1)
    now += 45_000
    openai.push(good, good)
    expect((await ask(one)).provider).toBe('openai')
    expect((await ask(other)).provider).toBe('openai')
  })

  test('after two failures in a row it rests; one good answer and it is back', async () => {
    let now = Date.now()
    const model = await router({ now: () => now })
    claude.always(good)
    openai.push({ kind: 'error', status: 500 }, { kind: 'error', status: 500 })
    for (let i = 0; i < 4; i++) expect((await ask(model)).provider).toBe('claude')
    expect(openai.requests).toHaveLength(2)
    now += 20_000
    openai.push(good, { kind: 'error', status: 500 }, good)
    expect((await ask(model)).provider).toBe('openai')
    expect((await ask(model)).provider).toBe('claude')
    expect((await ask(model)).provider).toBe('openai')
  })

  test('only one at a time tries an ailing model out', async () => {
    let now = Date.now()
    const model = await router({ now: () => now })
    claude.always(good)
    openai.push({ kind: 'error', status: 500 }, { kind: 'error', status: 500 })
    await ask(model)
    await ask(model)
    now += 20_000
    openai.always({ kind: 'slow', ms: 200, reply: good })
    const answers = await Promise.all(Array.from({ length: 6 }, () => ask(model)))
    expect(answers.filter(({ provider }) => provider === 'openai')).toHaveLength(1)
    expect(openai.requests).toHaveLength(3)
  })

  test('when the only one asked for time, the person is told how long, and nothing is sent', async () => {
    openai.push({ kind: 'error', status: 429, message: 'Slow down', retry_after: 120 })
    const model = await router({ both: false })
    expect((await failure(ask(model))).fault).toBe('rate')
    const error = await failure(ask(model))
    expect([error.fault, error.message]).toEqual(['busy', 'OpenAI is left alone for 2 min, as it asked.'])
    expect(openai.requests).toHaveLength(1)
  })

  test('one that rests is asked all the same when the others fail', async () => {
    const model = await router()
    openai.push({ kind: 'error', status: 500 }, { kind: 'error', status: 500 }, good)
    claude.push(good, good)
    claude.always({ kind: 'refuse', as: 'server' })
    await ask(model)
    await ask(model)
    expect(await ask(model)).toMatchObject({ value: { ok: true }, provider: 'openai' })
  })

  test('one that is silent again and again is not asked first any more', async () => {
    const model = await router({ env: { AI_HEDGE_AFTER: '30ms' } })
    openai.always({ kind: 'hang' })
    claude.always(good)
    for (let i = 0; i < 4; i++) expect((await ask(model)).provider).toBe('claude')
    expect(openai.requests).toHaveLength(2)
  })

  test('a listener that fails does not harm the answer', async () => {
    openai.push(good)
    const onText = () => {
      throw new Error('not now')
    }
    expect(await ask(await router(), { onText })).toMatchObject({ value: { ok: true }, provider: 'openai' })
  })

  test('when none is well, those that only had trouble are asked all the same', async () => {
    const model = await router({ both: false })
    openai.always({ kind: 'error', status: 500 })
    await failure(ask(model))
    openai.always(good)
    expect(await ask(model)).toMatchObject({ value: { ok: true } })
  })
})

describe('budgets', () => {
  test('of a day holds for many at once and several processes', async () => {
    // Each reserves a little more than 1,000 and takes 120.
    const env = { AI_DAILY_TOKENS: '5500' }
    const gate = Promise.withResolvers<void>()
    openai.always({ kind: 'wait', until: gate.promise, reply: good })
    const [one, other] = await Promise.all([router({ env }), router({ env })])
    const asked = Array.from({ length: 12 }, (_, i) => ask(i % 2 ? one : other, { maxTokens: 1000 }))
    const told: ModelError[] = []
    for (const one of asked) one.catch((error: ModelError) => told.push(error))
    await expect.poll(() => told.length + openai.requests.length).toBe(12)
    gate.resolve()
    const results = await Promise.allSettled(asked)
    expect(results.length - told.length).toBe(5)
    expect(openai.requests).toHaveLength(5)
    expect(told[0]?.fault).toBe('budget')
    expect(told[0]?.message).toMatch(/^Today's budget for language models does not cover this any more/)
    expect(told[0]?.hint).toMatch(/Playbooks and \/run go on as before.*AI_DAILY_TOKENS/)
    expect(claude.requests).toHaveLength(0)
    // What was reserved and not used is free again.
    expect(await ask(one, { maxTokens: 1000 })).toMatchObject({ value: { ok: true } })
  })

  test('of a run is its own', async () => {
    const env = { AI_RUN_TOKENS: '1250' }
    openai.always(good)
    const model = await router({ env })
    await ask(model, { runId, maxTokens: 1000 })
    await ask(model, { runId, maxTokens: 1000 })
    const error = await failure(ask(model, { runId, maxTokens: 1000 }))
    expect(error.message).toMatch(/^The budget of this run/)
    await ask(model, { runId: personId, maxTokens: 1000 })
    await ask(model, { maxTokens: 1000 })
  })

  test('of money leaves out models whose price is not known', async () => {
    claude.always(good)
    const env = { AI_DAILY_USD: '1', OPENAI_MODEL: 'gpt-next' }
    expect((await ask(await router({ env }))).provider).toBe('claude')
    expect((await failure(ask(await router({ env, both: false })))).hint).toMatch(/AI_PRICES/)
    expect(openai.requests).toHaveLength(0)
  })

  test('of money holds', async () => {
    // At $10 for a million tokens out, 1,000 of them are reserved with a cent each.
    openai.always({ ...good, tokens_out: 1000 } as ModelReply)
    const env = { AI_DAILY_USD: '0.055', OPENAI_MODEL: 'gpt-next', AI_PRICES: 'openai:gpt-next=0/10' }
    const model = await router({ env, both: false })
    const results = await Promise.allSettled(Array.from({ length: 9 }, () => ask(model, { maxTokens: 1000 })))
    expect(results.filter(({ status }) => status === 'fulfilled')).toHaveLength(5)
  })

  test("a model on one's own machine goes on", async () => {
    const ollama = await startModelServer([], { provider: 'ollama' })
    ollama.always(good)
    const env = { AI_DAILY_TOKENS: '10', ...providerEnv('ollama', ollama.url) }
    expect((await ask(await router({ env }))).provider).toBe('ollama')
    expect(openai.requests.length + claude.requests.length).toBe(0)
    await ollama.close()
  })
})

describe('a cancel', () => {
  test('ends every request on the wire, and is written down with what it cost', async () => {
    openai.push({ kind: 'hang' })
    claude.push({ kind: 'hang' })
    const abort = new AbortController()
    const asked = ask(await router({ env: { AI_HEDGE_AFTER: '20ms' } }), { signal: abort.signal })
    await expect.poll(() => openai.requests.length + claude.requests.length).toBe(2)
    abort.abort(new Error('the person said stop'))
    await expect(asked).rejects.toThrow('the person said stop')
    await expect.poll(() => [openai.requests[0]?.aborted, claude.requests[0]?.aborted]).toEqual([true, true])
    expect((await rows()).map(({ outcome, estimated }) => [outcome, estimated])).toEqual([
      ['cancelled', true],
      ['cancelled', true],
    ])
  })

  test('in the middle of a stream ends it there', async () => {
    openai.push({
      ...good,
      content: { ok: true, text: 'x'.repeat(4000) },
      parts: 40,
      pace_ms: 20,
    } as ModelReply)
    const abort = new AbortController()
    let heard = 0
    const asked = ask(await router(), {
      signal: abort.signal,
      onText: (soFar) => {
        heard = soFar.length
        if (heard > 300) abort.abort(new Error('enough'))
      },
    })
    await expect(asked).rejects.toThrow('enough')
    await expect.poll(() => openai.requests[0]?.aborted).toBe(true)
    expect(heard).toBeLessThan(2000)
    const [row] = await rows()
    expect(row).toMatchObject({ outcome: 'cancelled', estimated: true })
    expect(row?.tokens).toBeGreaterThan(heard / 4)
  })
})

test('of more calls than are read at once the newest count, oldest first', async () => {
  await db.query(
    `INSERT INTO model_call (id, question_id, provider, model, purpose, need, outcome, ended_at)
     SELECT gen_random_uuid(), gen_random_uuid(), 'openai', 'm' || n, 'plan', 'quick', 'server', clock_timestamp() - n * interval '1 s'
     FROM generate_series(1, 2001) n`,
  )
  const read = await recentCalls(db, 3_600_000, Date.now())
  expect([read.length, read[0]?.model, read.at(-1)?.model]).toEqual([2000, 'm2000', 'm1'])
})

describe('an identical question', () => {
  const plan = { purpose: 'plan', runId }

  test('of the planner costs nothing either: its prompt is the same again, with another context it is not', async () => {
    const model = await router()
    const step = {
      ...{ key: '1', title: 'look', reason: 'asked for', call: { action: 'shell', command: 'ls' } },
      ...{ directory: null, depends_on: [], milestone: null, writes: [], network: false, timeout_s: 60 },
    }
    const content = { cannot: null, summary: 'Look', milestones: [], tasks: [step] }
    const reply: ModelReply = { kind: 'answer', content, tokens_in: 100, tokens_out: 20 }
    openai.push(reply, reply)
    const planned = (origin?: string, used = 50) =>
      planByModel(model, {
        ...{ request: 'look around', place: place(), version: 1, forRun: { id: runId, personId } },
        uses: [{ request: 'look around', complexity: 'simple', raw: 200, used }],
        context: origin ? [{ origin, text: 'README.md' }] : [],
      })
    for (const given of [
      await planned(),
      await planned(undefined, 5000),
      await planned('files'),
      await planned('files'),
    ])
      expect(given).toMatchObject({ kind: 'planned', plan: { summary: 'Look' } })
    expect((await rows()).map(({ outcome }) => outcome)).toEqual(['answered', 'cached', 'answered', 'cached'])
    expect(openai.requests).toHaveLength(2)
    const marks = openai.requests.map(({ body }) => /<data-(\w{24}) /.exec(JSON.stringify(body))?.[1])
    expect(new Set(marks)).toHaveLength(2)
    expect(marks).not.toContain(undefined)
  })

  test('is answered from memory for a while, and the record says so', async () => {
    let now = Date.now()
    const model = await router({ now: () => now })
    openai.push(good, good, good)
    await ask(model, plan)
    expect(await ask(model, plan)).toMatchObject({
      value: { ok: true },
      tokens_in: 0,
      cost_usd: 0,
      provider: 'openai',
    })
    expect((await rows()).map(({ outcome }) => outcome)).toEqual(['answered', 'cached'])
    expect(openai.requests).toHaveLength(1)
    await ask(model, { ...plan, user: 'Well, then?' })
    now += 121_000
    await ask(model, plan)
    expect(openai.requests).toHaveLength(3)
  })

  test('for another purpose is asked anew', async () => {
    const model = await router()
    openai.push(good, good)
    await ask(model, { purpose: 'repair' })
    await ask(model, { purpose: 'repair' })
    expect(openai.requests).toHaveLength(2)
  })
})

describe('the next one', () => {
  test('is the next of the chain at OpenRouter', async () => {
    const server = await startModelServer([], { provider: 'openrouter' })
    const env = {
      ...providerEnv('openrouter', server.url),
      OPENROUTER_MODEL: 'a/a',
      OPENROUTER_FALLBACK_MODELS: 'b/b,c/c',
    }
    const model = (await openModel(readModelSettings(env), [], { db, log: testLog })) as Model
    server.push({ kind: 'refuse', as: 'rate' }, { kind: 'refuse', as: 'server' }, good)
    expect((await ask(model)).model).toBe('c/c')
    expect(server.requests.map(({ body }) => body.model)).toEqual(['a/a', 'b/b', 'c/c'])
    await server.close()
  })

  test('is not of a provider that does not take the key', async () => {
    openai.push({ kind: 'error', status: 401, message: 'Incorrect API key provided' })
    claude.push(good)
    expect((await ask(await router(), { need: 'heavy' })).provider).toBe('claude')
    expect(openai.requests).toHaveLength(1)
  })

  test('is asked before the same once more', async () => {
    openai.push({ kind: 'error', status: 500 }, good)
    claude.push({ kind: 'error', status: 500 })
    expect((await ask(await router())).provider).toBe('openai')
    expect((await rows()).map(({ provider, outcome }) => `${provider} ${outcome}`)).toEqual([
      'openai server',
      'claude server',
      'openai answered',
    ])
  })

  test('a cut stream begins anew at another, and the text with it', async () => {
    openai.push({ kind: 'cut', content: '{"ok": fal' })
    claude.push(good)
    const heard: string[] = []
    const answer = await ask(await router(), { onText: (soFar) => void heard.push(soFar) })
    expect(answer.value).toEqual({ ok: true })
    expect(heard[0]).toBe('{"ok": fal')
    expect(heard.at(-1)).toBe('{"ok":true}')
    expect((await rows()).map(({ outcome, estimated }) => [outcome, estimated])).toEqual([
      ['unreachable', true],
      ['answered', false],
    ])
  })

  test('when all fail, the words are of what can be mended', async () => {
    openai.always({ kind: 'error', status: 401, message: 'Incorrect API key provided' })
    claude.always({ kind: 'refuse', as: 'server' })
    const error = await failure(ask(await router()))
    expect(error.message).toBe('OpenAI did not accept the key; Claude answered 529.')
    expect(error.hint).toMatch(/OPENAI_API_KEY/)
  })

  test('when all fail, one that rests is told of, too', async () => {
    openai.push({ kind: 'error', status: 429, message: 'Slow down', retry_after: 120 })
    claude.push(good)
    const model = await router()
    await ask(model)
    claude.always({ kind: 'error', status: 500 })
    const error = await failure(ask(model, { user: 'something else' }))
    expect(error.message).toBe('Claude answered 500; OpenAI rests after too many requests (2 min left).')
    expect(error.details).toMatch(/OpenAI is left alone for 2 min.*Claude has trouble of its own/)
  })

  test('nothing secret leaves, to none of them', async () => {
    openai.push({ kind: 'error', status: 500 })
    claude.push(good)
    const secret = `ghp_${'a'.repeat(36)}`
    await ask(await router(), { system: `You know ${secret}.`, user: `and key-of-claude-0123456789` })
    for (const server of [openai, claude])
      expect(JSON.stringify(server.requests[0]?.body)).not.toMatch(/ghp_|key-of-claude/)
  })
})
