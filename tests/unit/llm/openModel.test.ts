import { afterEach, beforeEach, describe, expect, test } from 'vitest'
import { z } from 'zod'
import { readModelSettings } from '../../../core/config/model.ts'
import { ModelError } from '../../../core/llm/model.ts'
import { openModel } from '../../../core/llm/openModel.ts'
import { type ModelReply, type ModelServer, startModelServer } from '../../support/modelServer.ts'

const KEY = 'sk-proj-0123456789abcdef0123456789abcdef'
const Shape = z.strictObject({
  city: z.string().max(50),
  size: z.int().min(0).nullable(),
  kind: z.literal('town'),
})
let server: ModelServer

beforeEach(async () => {
  server = await startModelServer()
})
afterEach(() => server.close())

const settings = (over: Record<string, string> = {}) =>
  readModelSettings({ OPENAI_API_KEY: KEY, OPENAI_BASE_URL: server.url, ...over })
const question = { purpose: 'test', system: 'Be brief.', user: 'Where?', schema: Shape, schemaName: 'place' }

async function ask(
  replies: ModelReply[],
  over: Partial<typeof question> & { signal?: AbortSignal } = {},
  env: Record<string, string> = {},
) {
  server.push(...replies)
  const model = await openModel(settings(env))
  if (!model) throw new Error('no model')
  return model.complete({ ...question, ...over })
}

const faultOf = (replies: ModelReply[], env?: Record<string, string>): Promise<ModelError> =>
  ask(replies, {}, env).then(
    () => Promise.reject(new Error('it answered')),
    (error: unknown) => (error instanceof ModelError ? error : Promise.reject(error)),
  )

describe('a model', () => {
  test('answers with JSON and what it cost', async () => {
    const answer = await ask([
      { kind: 'answer', content: { city: 'Ulm', size: null, kind: 'town' }, tokens_in: 321, tokens_out: 12 },
    ])
    expect(answer).toMatchObject({
      value: { city: 'Ulm', size: null, kind: 'town' },
      tokens_in: 321,
      tokens_out: 12,
    })
    expect(answer.ms).toBeGreaterThanOrEqual(0)
  })

  test('is asked for strict structured output', async () => {
    await ask([{ kind: 'answer', content: '{}' }])
    const [{ body, headers } = { body: undefined, headers: undefined }] = server.requests
    expect(headers?.authorization).toBe(`Bearer ${KEY}`)
    expect(body?.response_format).toEqual({
      type: 'json_schema',
      json_schema: {
        name: 'place',
        strict: true,
        schema: {
          type: 'object',
          properties: {
            city: { type: 'string' },
            size: { anyOf: [{ type: 'integer' }, { type: 'null' }] },
            kind: { type: 'string', enum: ['town'] },
          },
          required: ['city', 'size', 'kind'],
          additionalProperties: false,
        },
      },
    })
  })

  test('is not told secrets that stand in the question', async () => {
    await ask([{ kind: 'answer', content: '{}' }], { user: `the key is ${KEY} and ghp_${'a'.repeat(36)}` })
    expect(JSON.stringify(server.requests[0]?.body)).not.toMatch(/sk-proj|ghp_/)
  })

  test('may wrap its JSON, or give none', async () => {
    expect((await ask([{ kind: 'answer', content: 'Sure!\n```json\n{"a": 1}\n```\nBye.' }])).value).toEqual({
      a: 1,
    })
    expect((await ask([{ kind: 'answer', content: 'I would rather not.' }])).value).toBeUndefined()
  })

  test('falls back to plain JSON where schemas are not known', async () => {
    const no = (message: string): ModelReply => ({ kind: 'error', status: 400, message })
    const answer = await ask([
      no('response_format json_schema is not supported'),
      no('This model has no JSON mode'),
      { kind: 'answer', content: '{"a":1}' },
    ])
    expect(answer.value).toEqual({ a: 1 })
    expect(server.requests.map((r) => r.body.response_format?.type)).toEqual([
      'json_schema',
      'json_object',
      undefined,
    ])
    expect(server.requests[2]?.body.messages[0]?.content).toContain('"additionalProperties":false')
  })

  test('is asked without schema where a provider ignores it', async () => {
    await ask(
      [{ kind: 'answer', content: '{}' }],
      {},
      { AI_PROVIDER_PRIORITY: 'claude', ANTHROPIC_API_KEY: KEY, CLAUDE_BASE_URL: server.url },
    )
    expect(server.requests[0]?.body.response_format).toBeUndefined()
    expect(server.requests[0]?.body.messages[0]?.content).toContain('JSON Schema')
  })
})

describe('a model that fails', () => {
  test.each<[string, ModelReply[], string, RegExp, RegExp]>([
    [
      'a wrong key',
      [{ kind: 'error', status: 401, message: `Incorrect API key provided: ${KEY}.` }],
      'key',
      /did not accept the key \(401\)/,
      /OPENAI_API_KEY/,
    ],
    [
      'no quota',
      [{ kind: 'error', status: 429, message: 'You exceeded your current quota', retry_after: 3600 }],
      'quota',
      /quota/,
      /AI_PROVIDER_PRIORITY/,
    ],
    [
      'too many requests',
      [{ kind: 'error', status: 429, message: 'Slow down', retry_after: 60 }],
      'rate',
      /429/,
      /in a minute/,
    ],
    [
      'an unknown model',
      [{ kind: 'error', status: 404, message: 'The model does not exist' }],
      'unknown_model',
      /does not know the model/,
      /OPENAI_MODEL/,
    ],
    [
      'a request it does not take',
      [{ kind: 'error', status: 400, message: `bad\nthing ${KEY}` }],
      'request',
      /did not take the request \(400\): bad thing \[redacted/,
      /OPENAI_MODEL/,
    ],
    [
      'a refusal',
      [{ kind: 'refusal', text: 'I cannot help with that.' }],
      'refused',
      /declined/,
      /other words/,
    ],
    [
      'an answer cut at the limit',
      [{ kind: 'answer', content: '{"a":', finish_reason: 'length' }],
      'cut',
      /whole/,
      /less/,
    ],
    [
      'trouble twice',
      [
        { kind: 'error', status: 500 },
        { kind: 'error', status: 503 },
      ],
      'server',
      /trouble of its own \(503\)/,
      /in a minute/,
    ],
    [
      'invalid JSON',
      [{ kind: 'invalid' }, { kind: 'invalid' }],
      'answer',
      /cannot be read/,
      /OPENAI_BASE_URL/,
    ],
    [
      'a cut connection',
      [{ kind: 'cut' }, { kind: 'cut' }],
      'unreachable',
      /cannot be reached at 127/,
      /OPENAI_BASE_URL/,
    ],
  ])('says so in one line without secrets: %s', async (_, replies, fault, said, hint) => {
    const error = await faultOf(replies)
    expect([error.fault, error.message, error.hint]).toEqual([
      fault,
      expect.stringMatching(said),
      expect.stringMatching(hint),
    ])
    expect(error.message + error.hint).not.toMatch(/\n|sk-proj|0123456789abcdef/)
  })

  test('is asked once more after what passes by itself', async () => {
    const answer = await ask([
      { kind: 'error', status: 503 },
      { kind: 'answer', content: '{"a":1}' },
    ])
    expect(answer.value).toEqual({ a: 1 })
    expect(
      await ask([
        { kind: 'error', status: 429, retry_after: 0 },
        { kind: 'answer', content: '{"a":2}' },
      ]),
    ).toMatchObject({ value: { a: 2 } })
  })

  test('is not waited for when it asks for a long pause', async () => {
    const started = performance.now()
    expect((await faultOf([{ kind: 'error', status: 429, retry_after: 30 }])).fault).toBe('rate')
    expect(performance.now() - started).toBeLessThan(2000)
    expect(server.requests).toHaveLength(1)
  })

  test('cannot be reached', async () => {
    const gone = await startModelServer()
    await gone.close()
    const error = await faultOf([], { OPENAI_BASE_URL: gone.url })
    expect(error.fault).toBe('unreachable')
    expect(error.message).toMatch(/^OpenAI cannot be reached at 127\.0\.0\.1:\d+, ECONNREFUSED\.$/)
  })

  test('is given up after the time limit', async () => {
    const error = await faultOf([{ kind: 'hang' }, { kind: 'hang' }], { AI_TIMEOUT: '300ms' })
    expect(error).toMatchObject({ fault: 'timeout' })
    expect(error.message).toMatch(/^OpenAI did not answer within \d+ s\.$/)
    await expect.poll(() => server.requests[0]?.aborted).toBe(true)
  })

  test('is really cut off by the signal', async () => {
    const abort = new AbortController()
    const asked = ask([{ kind: 'slow', ms: 5000 }], { signal: abort.signal })
    await expect.poll(() => server.requests).toHaveLength(1)
    abort.abort(new Error('the person said stop'))
    await expect(asked).rejects.toThrow('the person said stop')
    await expect.poll(() => server.requests[0]?.aborted).toBe(true)
  })
})

describe('the settings of models', () => {
  test('name nobody without a key', async () => {
    expect(readModelSettings({}).providers).toEqual([])
    expect(await openModel(readModelSettings({}))).toBeNull()
  })

  test('keep the order and take those with a key', () => {
    const { providers } = readModelSettings({
      OPENAI_API_KEY: KEY,
      GOOGLE_AI_API_KEY: KEY,
      OLLAMA_BASE_URL: 'http://box:11434',
      AI_PROVIDER_PRIORITY: ' ollama, OpenAI,groq ,ollama',
    })
    expect(providers.map((p) => [p.name, p.baseUrl, p.models[0], p.apiKey])).toEqual([
      ['ollama', 'http://box:11434/v1', 'gpt-oss:20b', null],
      ['openai', 'https://api.openai.com/v1', 'gpt-5.6-luna', KEY],
    ])
  })

  test('have a chain of models for OpenRouter', () => {
    const [at] = readModelSettings({ OPENROUTER_API_KEY: KEY }).providers
    expect(at?.models).toHaveLength(7)
    expect(
      readModelSettings({
        OPENROUTER_API_KEY: KEY,
        OPENROUTER_MODEL: 'a/b',
        OPENROUTER_FALLBACK_MODELS: 'c/d, a/b',
      }).providers[0]?.models,
    ).toEqual(['a/b', 'c/d'])
  })

  test('say in one line what is wrong', () => {
    expect(() => readModelSettings({ AI_PROVIDER_PRIORITY: 'gemini,skynet' })).toThrow(
      /^AI_PROVIDER_PRIORITY: got "gemini,skynet"; it takes a comma-separated list of gemini/,
    )
    expect(() => readModelSettings({ OLLAMA_BASE_URL: 'box:11434' })).toThrow(/^OLLAMA_BASE_URL: .*http:\/\//)
  })
})
