import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import { z } from 'zod'
import { type ProviderName, providerNames, readModelSettings } from '../../core/config/model.ts'
import type { Answer, Model, ModelFault } from '../../core/llm/model.ts'
import { openModel } from '../../core/llm/openModel.ts'
import { type Database, openDatabase } from '../../core/storage/openDatabase.ts'
import { testLog } from '../support/control.ts'
import { newDatabase, type TestDatabase } from '../support/database.ts'
import { type ModelReply, type ModelServer, startModelServer } from '../support/modelServer.ts'
import { providerEnv } from '../support/providerEnv.ts'

/*
 * Every fault at every provider, in that provider's own shape: while one other is well the person gets an answer, and
 * the record says exactly what happened. The other one is of another provider with another shape.
 */

let database: TestDatabase
let db: Database
const servers = new Map<ProviderName, ModelServer>()

beforeAll(async () => {
  database = await newDatabase()
  db = openDatabase({ url: database.url, poolSize: 4, log: testLog })
  for (const provider of providerNames) servers.set(provider, await startModelServer([], { provider }))
})
afterAll(async () => {
  await Promise.all([...servers.values()].map((server) => server.close()))
  await db.close()
  await database.drop()
})

const serverOf = (provider: ProviderName): ModelServer => {
  const server = servers.get(provider)
  if (!server) throw new Error(`no server for ${provider}`)
  return server
}
const well = (provider: ProviderName): ProviderName => (provider === 'openai' ? 'claude' : 'openai')

const good: ModelReply = { kind: 'answer', content: { ok: true }, tokens_in: 100, tokens_out: 20 }
const question = {
  purpose: 'test',
  system: 'Be brief.',
  user: 'Well?',
  schema: z.object({ ok: z.boolean() }),
  schemaName: 'x',
}

type Row = {
  provider: string
  outcome: string
  tokens_in: number
  tokens_out: number
  hedge: boolean
  cost_usd: number | null
}

async function ask(
  provider: ProviderName,
  replies: ModelReply[],
  over: Record<string, string> = {},
  onText?: (text: string) => void,
) {
  const first = serverOf(provider)
  const second = serverOf(well(provider))
  first.requests.length = 0
  second.requests.length = 0
  first.reset(...replies)
  second.reset()
  second.always(good)
  const env = {
    ...providerEnv(provider, first.url),
    ...providerEnv(well(provider), second.url),
    ...{ AI_PROVIDER_PRIORITY: `${provider},${well(provider)}`, OPENROUTER_FALLBACK_MODELS: ',', ...over },
  }
  const model = (await openModel(readModelSettings(env), [], { db, log: testLog })) as Model
  // What earlier cases recorded is of no concern to this one.
  await db.query('DELETE FROM model_call')
  const answer = await model.complete({ ...question, ...(onText ? { onText } : {}) })
  await model.settled?.()
  const rows = await db.query<Row>(
    'SELECT provider, outcome, tokens_in, tokens_out, hedge, cost_usd FROM model_call ORDER BY (outcome = $1), at',
    ['answered'],
  )
  return { answer, rows, first, second }
}

/** The compatible endpoints of these two do not say. */
const countsCached = (provider: ProviderName): boolean => provider !== 'gemini' && provider !== 'ollama'
const outcomes = (rows: Row[]): string[] => rows.map(({ provider, outcome }) => `${provider} ${outcome}`)

type Case = {
  name: string
  reply: ModelReply
  fault: ModelFault
  but?: Partial<Record<ProviderName, ModelFault>>
}
const cases: Case[] = [
  {
    name: 'too many requests',
    reply: { kind: 'refuse', as: 'rate' },
    fault: 'rate',
    but: { ollama: 'server' },
  },
  { name: 'too many requests, with a time', reply: { kind: 'refuse', as: 'rate_wait' }, fault: 'rate' },
  {
    name: 'no quota left',
    reply: { kind: 'refuse', as: 'quota' },
    fault: 'quota',
    but: { ollama: 'server' },
  },
  { name: 'trouble of its own', reply: { kind: 'refuse', as: 'server' }, fault: 'server' },
  { name: 'an unknown model', reply: { kind: 'refuse', as: 'wrong_model' }, fault: 'unknown_model' },
  { name: 'a wrong key', reply: { kind: 'refuse', as: 'key' }, fault: 'key' },
  {
    name: 'JSON it could not make itself',
    reply: { kind: 'refuse', as: 'bad_json' },
    fault: 'server',
    but: { groq: 'answer', deepseek: 'request' },
  },
  { name: 'a page of HTML', reply: { kind: 'html', status: 502 }, fault: 'server' },
  { name: 'a body that is not JSON', reply: { kind: 'invalid' }, fault: 'answer' },
  { name: 'no choice', reply: { kind: 'empty' }, fault: 'answer' },
  { name: 'an empty text', reply: { kind: 'answer', content: '' }, fault: 'answer' },
  {
    name: 'prose instead of JSON',
    reply: { kind: 'answer', content: 'I would rather sing.' },
    fault: 'answer',
  },
  { name: 'a cut connection', reply: { kind: 'cut' }, fault: 'unreachable' },
  { name: 'a stream that ends without an end', reply: { kind: 'cut', clean: true }, fault: 'unreachable' },
  { name: 'an error inside the answer', reply: { kind: 'error in stream' }, fault: 'server' },
  { name: 'a refusal of the model', reply: { kind: 'refusal', text: 'I cannot.' }, fault: 'refused' },
  {
    name: 'a filtered answer',
    reply: { kind: 'answer', content: '{"o', finish_reason: 'content_filter' },
    fault: 'refused',
  },
  {
    name: 'an answer cut at the limit',
    reply: { kind: 'answer', content: '{"o', finish_reason: 'length' },
    fault: 'cut',
  },
]

describe.each(providerNames.map((name) => [name]))('%s fails, another is well', (provider) => {
  test.each(cases.map((one) => [one.name, one] as const))('%s', async (_, { reply, fault, but }) => {
    const { answer, rows, first } = await ask(provider, [reply])
    expect(answer).toMatchObject({
      value: { ok: true },
      provider: well(provider),
      tokens_in: 100,
      tokens_out: 20,
    })
    expect(outcomes(rows)).toEqual([`${provider} ${but?.[provider] ?? fault}`, `${well(provider)} answered`])
    expect(first.requests).toHaveLength(1)
  })

  test('no schemas: the same model is asked in a plainer way', async () => {
    const { answer, rows, first } = await ask(provider, [{ kind: 'refuse', as: 'schema' }, good])
    const plainer = provider !== 'claude'
    expect(answer.provider).toBe(plainer ? provider : well(provider))
    expect(outcomes(rows)).toEqual([`${provider} schema`, `${plainer ? provider : well(provider)} answered`])
    expect(first.requests).toHaveLength(plainer ? 2 : 1)
  })

  test('silence: given up after half of the time', async () => {
    const { answer, rows, first } = await ask(provider, [{ kind: 'hang' }], {
      AI_TIMEOUT: '1400ms',
      AI_HEDGE_AFTER: 'off',
    })
    expect(answer.provider).toBe(well(provider))
    expect(outcomes(rows)).toEqual([`${provider} timeout`, `${well(provider)} answered`])
    await expect.poll(() => first.requests[0]?.aborted).toBe(true)
  })

  test('slow: another is asked beside it, and the slow request ends on the wire', async () => {
    const { answer, rows, first } = await ask(provider, [{ kind: 'hang' }], { AI_HEDGE_AFTER: '50ms' })
    expect(answer.provider).toBe(well(provider))
    expect(outcomes(rows)).toEqual([`${provider} slow`, `${well(provider)} answered`])
    expect(rows.map((row) => row.hedge)).toEqual([false, true])
    expect(rows[0]?.tokens_in).toBeGreaterThan(0)
    await expect.poll(() => first.requests[0]?.aborted).toBe(true)
  })

  test('a good answer: text as it comes, counted as the provider counts', async () => {
    const texts: string[] = []
    const reply: ModelReply = { ...good, tokens_cached: 40, cost: 0.0125, parts: 4 } as ModelReply
    const { answer, rows, second } = await ask(provider, [reply], {}, (soFar) => void texts.push(soFar))
    expect(second.requests).toHaveLength(0)
    expect(answer).toMatchObject({
      value: { ok: true },
      provider,
      tokens_in: 100,
      tokens_out: 20,
    } satisfies Partial<Answer>)
    expect(answer.tokens_cached).toBe(countsCached(provider) ? 40 : 0)
    expect(texts.at(-1)).toBe('{"ok":true}')
    expect(texts).toHaveLength(provider === 'groq' ? 1 : 4)
    const expected: Record<ProviderName, number> = {
      gemini: (100 * 0.75 + 20 * 3.75) / 1e6,
      groq: (100 * 0.15 + 20 * 0.6) / 1e6,
      openrouter: 0.0125,
      deepseek: (60 * 0.44 + 40 * 0.014 + 20 * 1.32) / 1e6,
      openai: (60 * 0.2 + 40 * 0.02 + 20 * 1.2) / 1e6,
      claude: (60 * 2 + 40 * 0.1 + 20 * 10) / 1e6,
      ollama: 0,
    }
    expect(rows[0]?.cost_usd).toBeCloseTo(expected[provider], 10)
    expect(answer.cost_usd).toBeCloseTo(expected[provider], 10)
  })
})

test.each<[ProviderName]>([['openrouter'], ['claude']])(
  '%s stands still halfway through a stream: given up, and begun anew elsewhere',
  async (provider) => {
    const stuck = { ...good, parts: 3, pace_ms: 600_000 } as ModelReply
    const { answer, rows, first } = await ask(provider, [stuck], { AI_TIMEOUT: '1400ms' })
    expect(answer).toMatchObject({ provider: well(provider), value: { ok: true } })
    expect(outcomes(rows)).toEqual([`${provider} timeout`, `${well(provider)} answered`])
    await expect.poll(() => first.requests[0]?.aborted).toBe(true)
  },
)
