import { createServer } from 'node:http'
import type { AddressInfo } from 'node:net'
import fc from 'fast-check'
import { describe, expect, test } from 'vitest'
import type { EndedCall, NewCall } from '../../../core/llm/callLedger.ts'
import { ModelError } from '../../../core/llm/model.ts'
import { noRecords } from '../../../core/llm/records.ts'
import { DIMENSIONS, fitted } from '../../../core/memory/embedder.ts'
import { importance } from '../../../core/memory/importance.ts'
import { openEmbedder } from '../../../core/memory/openEmbedder.ts'
import { fuse } from '../../../core/memory/recall.ts'
import { everything } from '../../../core/memory/scope.ts'
import { searchVectors } from '../../../core/memory/searchVectors.ts'
import { searchWords } from '../../../core/memory/words.ts'
import { testLog } from '../../support/control.ts'

const DAY = 86_400_000

describe('importance', () => {
  const of = (more: object) => importance({ ageMs: 0, succeeded: true, relevance: 1, times: 10, ...more })

  test.each([
    ['all of it', {}, 1],
    ['half of the recency after seven days', { ageMs: 7 * DAY }, 0.875],
    ['a failure has 0.3 of the success', { succeeded: false }, 0.79],
    ['what has no outcome counts as good', { succeeded: null }, 1],
    ['nothing relevant', { relevance: 0 }, 0.65],
    ['once is a tenth of often', { times: 1 }, 0.91],
    ['more often than often is often', { times: 5000 }, 1],
    ['a clock that is ahead', { ageMs: -DAY }, 1],
  ])('%s', (_, more, expected) => expect(of(more)).toBeCloseTo(expected, 6))

  test('is never beyond 0 and 1', () => {
    fc.assert(
      fc.property(
        fc.double({ noNaN: true }),
        fc.double({ noNaN: true }),
        fc.nat(),
        (ageMs, relevance, times) => {
          const value = of({ ageMs, relevance, times })
          expect(value).toBeGreaterThanOrEqual(0)
          expect(value).toBeLessThanOrEqual(1)
        },
      ),
    )
  })
})

describe('words of a text', () => {
  test.each([
    ['src/auth/loginForm.test.ts', 'src auth loginform login form test ts'],
    ['HTTPServer', 'httpserver http server'],
    ['npm run build:prod', 'npm run build prod'],
    ['テスト', 'テス スト'],
    ["it's 'quoted' & | !", 'it s quoted'],
    ['', ''],
  ])('%j', (text, words) => expect(searchWords(text)).toBe(words))

  test('of any text are few and short, in time', () => {
    fc.assert(
      fc.property(fc.string({ unit: 'binary', maxLength: 5000 }), (text) => {
        const words = searchWords(text).split(' ')
        expect(words.length).toBeLessThanOrEqual(400)
        for (const word of words) expect(word).toMatch(/^[\p{L}\p{M}\p{N}]*$/u)
      }),
    )
  })
})

test('what several ways find comes first, each once', () => {
  const one = [
    { id: 1, relevance: 0.9 },
    { id: 2, relevance: 0.8 },
  ]
  const other = [
    { id: 2, relevance: 0.9 },
    { id: 3, relevance: 0.1 },
  ]
  expect(fuse([one, other], 5)).toEqual([
    { id: 2, relevance: 0.9 },
    { id: 1, relevance: 0.9 },
  ])
})

/** A provider's embeddings endpoint. */
async function endpoint(answer: (body: { model: string; input: string[]; dimensions?: number }) => unknown) {
  const asked: { url: string; body: { model: string; input: string[]; dimensions?: number } }[] = []
  const server = createServer((req, res) => {
    const chunks: Buffer[] = []
    req.on('data', (chunk: Buffer) => chunks.push(chunk))
    req.on('end', () => {
      const body = JSON.parse(Buffer.concat(chunks).toString())
      asked.push({ url: req.url ?? '', body })
      const said = answer(body)
      res
        .writeHead(said === null ? 500 : 200, { 'content-type': 'application/json' })
        .end(JSON.stringify(said ?? {}))
    })
  })
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve))
  const { port } = server.address() as AddressInfo
  return { asked, url: `http://127.0.0.1:${port}/v1`, close: () => server.close() }
}

describe('embeddings of a provider', () => {
  const auto = { provider: 'auto', model: null } as const
  const at = (name: 'gemini' | 'openai' | 'ollama' | 'claude', baseUrl = 'http://127.0.0.1:9') => ({
    name,
    baseUrl,
    apiKey: 'k-0123456789',
    ...{ label: name, keySetting: 'KEY', models: ['m'] as [string], fixed: false, output: 'schema' as const },
  })
  const plain = (text: string) => text

  test.each([
    ['the first that has them', [at('claude'), at('ollama'), at('openai')], auto, 'ollama:nomic-embed-text'],
    [
      'the one that is set',
      [at('gemini'), at('openai')],
      { provider: 'openai', model: 'x' } as const,
      'openai:x',
    ],
    ['none without such a provider', [at('claude')], auto, undefined],
    ['none when they are off', [at('openai')], { provider: 'off', model: null } as const, undefined],
  ])('are %s', (_, providers, settings, name) => {
    expect(openEmbedder(providers, settings, plain)?.name).toBe(name)
  })

  test('come in the order of the texts, as long as the column, redacted on the way', async () => {
    const server = await endpoint(({ input }) => ({
      data: input.map((_, n) => ({ index: n, embedding: [n + 1, 0, 0] })).toReversed(),
    }))
    try {
      const embedder = openEmbedder([at('openai', server.url)], auto, (text) =>
        text.replace('secret', '[redacted]'),
      )
      const vectors = await embedder?.embed(['a secret', 'b'], 'document', AbortSignal.timeout(5000))
      expect(vectors?.map((vector) => vector.length)).toEqual([DIMENSIONS, DIMENSIONS])
      expect(server.asked[0]).toMatchObject({
        url: '/v1/embeddings',
        body: { input: ['a [redacted]', 'b'], dimensions: DIMENSIONS, model: 'text-embedding-3-small' },
      })
    } finally {
      server.close()
    }
  })

  test('are written down with what they cost, and kept to the budget', async () => {
    const server = await endpoint(({ input }) => ({
      data: input.map((_, n) => ({ index: n, embedding: [n + 1] })),
      usage: { prompt_tokens: 50_000, total_tokens: 50_000 },
    }))
    const told: object[] = []
    let refusal: ModelError | null = null
    const records = {
      ...noRecords,
      begin: (call: NewCall) => Promise.resolve(void told.push(call)).then(() => refusal),
      end: (_: NewCall, end: EndedCall) => Promise.resolve(void told.push(end)),
    }
    const budgets = { dailyTokens: 1000, dailyUsd: 1, runTokens: null, runUsd: null }
    const embedder = (model: string | null) =>
      openEmbedder([at('openai', server.url)], { provider: 'auto', model }, plain, {
        budgets,
        prices: {},
        records,
      })
    const ask = (model: string | null = null) =>
      embedder(model)?.embed(['a', 'b'], 'document', AbortSignal.timeout(5000))
    try {
      await ask()
      expect(told).toMatchObject([
        { provider: 'openai', model: 'text-embedding-3-small', purpose: 'embed', reservedTokens: 2 },
        { outcome: 'answered', tokensIn: 50_000, tokensOut: 0, estimated: false, costUsd: 0.001 },
      ])
      await expect(ask('of-unknown-price')).rejects.toMatchObject({ fault: 'budget' })
      refusal = new ModelError('budget', 'used up', '')
      await expect(ask()).rejects.toBe(refusal)
      expect(server.asked).toHaveLength(1)
    } finally {
      server.close()
    }
  })

  test.each([
    ['too few', { data: [{ index: 0, embedding: [1] }] }],
    [
      'no numbers',
      {
        data: [
          { index: 0, embedding: [null] },
          { index: 1, embedding: [1] },
        ],
      },
    ],
    ['nothing', { data: [] }],
    ['a fault', null],
  ])('that are %s are a fault, and search by them then finds nothing', async (_, answer) => {
    const server = await endpoint(() => answer)
    try {
      const embedder = openEmbedder([at('ollama', server.url)], auto, plain)
      if (!embedder) throw new Error('there is none')
      await expect(embedder.embed(['a', 'b'], 'query', AbortSignal.timeout(5000))).rejects.toThrow()
      const sql = { query: () => Promise.reject(new Error('the database is not asked')) }
      const search = searchVectors({
        embedder: { ...embedder, embed: () => Promise.reject(new Error('away')) },
        log: testLog,
      })
      const question = { text: 'tests', scope: everything }
      expect(await search.find(sql, question, 5)).toEqual([])
    } finally {
      server.close()
    }
  })

  test('a question that nobody waits for any more ends, which is no fault of the provider', async () => {
    const over = new AbortController()
    const until: AbortSignal[] = []
    const embed = (_: readonly string[], __: string, signal: AbortSignal) => {
      until.push(signal)
      return new Promise<number[][]>((resolve, reject) => {
        if (until.length > 1) resolve([fitted([1])])
        signal.addEventListener('abort', () => reject(signal.reason))
      })
    }
    const sql = { query: async () => [] }
    const search = searchVectors({ embedder: { name: 'slow', embed }, log: testLog })
    const question = { text: 'tests', scope: everything }
    const asked = search.find(sql, { ...question, signal: over.signal }, 5)
    over.abort(new Error('cancelled'))
    expect(await asked).toEqual([])
    expect(until[0]?.reason).toMatchObject({ message: 'cancelled' })
    expect(await search.find(sql, { ...question, signal: over.signal }, 5)).toEqual([])
    expect(until).toHaveLength(1)
    await search.find(sql, question, 5)
    expect(until).toHaveLength(2)
  })

  test('shorter ones are filled up, longer ones cut, all of length one', () => {
    expect(Math.hypot(...fitted([3, 4]))).toBeCloseTo(1)
    expect(fitted([3, 4]).slice(0, 3)).toEqual([0.6, 0.8, 0])
    expect(fitted(Array.from({ length: 3072 }, () => 1))).toHaveLength(DIMENSIONS)
    expect(fitted([])).toEqual(Array.from({ length: DIMENSIONS }, () => 0))
  })
})
