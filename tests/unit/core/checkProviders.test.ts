import { createServer, type Server } from 'node:http'
import type { AddressInfo } from 'node:net'
import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import { checkProviders } from '../../../cli/doctor/checkProviders.ts'
import { look, note, ok, tellFinding, together, wrong } from '../../../cli/doctor/finding.ts'

/* What the doctor says of language models, from the list that each provider has of its own. */

let server: Server
let url = ''
let status = 200
let body = ''

beforeAll(async () => {
  server = createServer((_, res) => res.writeHead(status, { 'content-type': 'application/json' }).end(body))
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve))
  url = `http://127.0.0.1:${(server.address() as AddressInfo).port}/v1`
})
afterAll(() => void server.close())

const models = (...ids: string[]): string => JSON.stringify({ data: ids.map((id) => ({ id })) })
async function found(env: Record<string, string>, answer: string, code = 200) {
  status = code
  body = answer
  const [finding] = await checkProviders(env)
  return finding
}
const openai = () => ({ OPENAI_API_KEY: 'k', OPENAI_BASE_URL: url })

test('what a provider says now and what became of its last call are one line, as bad as the worse', () => {
  const lines = together([
    { ...ok('providers', 'OpenAI answers now, gpt-5'), about: 'OpenAI' },
    { ...wrong('providers', 'Groq does not take the key (401)', 'Set it.'), about: 'Groq' },
    note('providers', 'today: 3 calls'),
    { ...look('providers', 'OpenAI: the last call of gpt-5 failed 3 min ago: no answer'), about: 'OpenAI' },
    { ...look('providers', 'Groq: the last call of llama failed 1 min ago: no answer'), about: 'Groq' },
    note('providers', 'today: 3 calls'),
  ])
  expect(lines.map(tellFinding)).toEqual([
    '! providers  OpenAI answers now, gpt-5; the last call of gpt-5 failed 3 min ago: no answer',
    '✗ providers  Groq does not take the key (401); the last call of llama failed 1 min ago: no answer\n             → Set it.',
    '· providers  today: 3 calls',
    '· providers  today: 3 calls',
  ])
})

describe('the doctor on language models', () => {
  test('is content when the model is there', async () => {
    expect(await found(openai(), models('gpt-5.6-luna', 'gpt-5'))).toMatchObject({
      kind: 'ok',
      text: 'OpenAI answers now, gpt-5.6-luna',
    })
  })

  test('knows the names that Google gives', async () => {
    const env = { GOOGLE_AI_API_KEY: 'k', GEMINI_BASE_URL: url }
    expect((await found(env, models('models/gemini-3.8-flash')))?.kind).toBe('ok')
  })

  test('says which model is not there', async () => {
    expect(await found({ ...openai(), OPENAI_MODEL: 'gpt-7' }, models('gpt-5.6-luna'))).toEqual({
      kind: 'wrong',
      what: 'providers',
      about: 'OpenAI',
      text: 'OpenAI does not have the model gpt-7',
      mend: 'Set OPENAI_MODEL to one it has.',
    })
  })

  test('looks at the chain of OpenRouter, too', async () => {
    const env = {
      OPENROUTER_API_KEY: 'k',
      OPENROUTER_BASE_URL: url,
      OPENROUTER_MODEL: 'a/a',
      OPENROUTER_FALLBACK_MODELS: 'b/b,c/c',
    }
    expect(await found(env, models('a/a', 'c/c'))).toMatchObject({
      kind: 'look',
      text: 'OpenRouter answers now, a/a; it does not have b/b',
    })
  })

  test.each([
    [200, 'no list'],
    [404, '{}'],
  ])('says nothing of models where there is no list (%d)', async (code, text) => {
    expect((await found(openai(), text, code))?.kind).toBe('ok')
  })

  test.each([
    [401, /does not take the key \(401\)/],
    [503, /trouble of its own \(503\)/],
  ])('tells of %d', async (code, text) => {
    expect(await found(openai(), '{}', code)).toMatchObject({
      kind: 'wrong',
      text: expect.stringMatching(text),
    })
  })
})
