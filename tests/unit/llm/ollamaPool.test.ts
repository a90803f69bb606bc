import { afterEach, beforeEach, describe, expect, test } from 'vitest'
import { z } from 'zod'
import { readModelSettings } from '../../../core/config/model.ts'
import { type Completion, type Model, ModelError } from '../../../core/llm/model.ts'
import { fullName } from '../../../core/llm/ollamaApi.ts'
import { keysAndValues } from '../../../core/llm/ollamaPool.ts'
import { openModel } from '../../../core/llm/openModel.ts'
import { type OllamaServer, startOllamaServer } from '../../support/ollamaServer.ts'

let ollama: OllamaServer
beforeEach(async () => {
  ollama = await startOllamaServer([
    { name: 'talk:latest', disk: 1000, memory: 1400 },
    { name: 'code:7b', disk: 3000, memory: 3500 },
    { name: 'small:1b', disk: 500, memory: 700 },
    { name: 'huge:70b', disk: 40_000, memory: 44_000 },
  ])
})
afterEach(() => ollama.close())

async function open(memoryMb: number, env: Record<string, string> = {}): Promise<Model> {
  const settings = readModelSettings({
    ...{ OLLAMA_BASE_URL: ollama.url, OLLAMA_MEMORY_MB: String(memoryMb), OLLAMA_MODEL: 'talk' },
    ...{
      AI_MODELS_CODE: 'ollama:code:7b',
      AI_MODELS_QUICK: 'ollama:small:1b',
      AI_MODELS_HEAVY: 'ollama:huge:70b',
    },
    ...env,
  })
  const model = await openModel(settings)
  if (!model) throw new Error('no model')
  return model
}
const ask = (model: Model, need: Completion<unknown>['need'], over: Partial<Completion<unknown>> = {}) =>
  model.complete({
    ...{
      purpose: 'test',
      system: 'Be brief.',
      user: 'Well?',
      schemaName: 'x',
      schema: z.object({ ok: z.boolean() }),
    },
    ...(need ? { need } : {}),
    ...over,
  })

describe('the pool of local models', () => {
  test('keeps the model of conversations for ever and others for a while', async () => {
    const model = await open(8000)
    await ask(model, 'conversation')
    await ask(model, 'code')
    expect(ollama.loaded()).toEqual({ 'talk:latest': -1, 'code:7b': 300 })
    expect(ollama.did).toEqual(['load talk:latest', 'ask talk:latest', 'load code:7b', 'ask code:7b'])
  })

  test('makes room within the limit: the longest unused leaves, that of conversations last', async () => {
    const model = await open(5000)
    for (const need of ['conversation', 'quick', 'code', 'conversation', 'quick'] as const)
      await ask(model, need)
    expect(ollama.did.filter((what) => !what.startsWith('ask'))).toEqual([
      'load talk:latest',
      'load small:1b',
      'unload small:1b',
      'load code:7b',
      'unload code:7b',
      'load small:1b',
    ])
    expect(ollama.peak()).toBeLessThanOrEqual(5000 * 1024 * 1024)
  })

  test('lets even that of conversations go when nothing else makes room', async () => {
    const model = await open(4000)
    await ask(model, 'conversation')
    await ask(model, 'code')
    expect(ollama.loaded()).toEqual({ 'code:7b': 300 })
  })

  test('never takes away one that is being asked', async () => {
    const model = await open(4000)
    await ask(model, 'code')
    const gate = Promise.withResolvers<void>()
    ollama.hold(gate.promise)
    const first = ask(model, 'code')
    await expect.poll(() => ollama.did.filter((what) => what === 'ask code:7b')).toHaveLength(2)
    const second = ask(model, 'conversation')
    await new Promise((resolve) => setTimeout(resolve, 100))
    expect(ollama.did).not.toContain('unload code:7b')
    ollama.hold(null)
    gate.resolve()
    await Promise.all([first, second])
    expect(ollama.did.slice(-3)).toEqual(['unload code:7b', 'load talk:latest', 'ask talk:latest'])
  })

  test('many at once keep within the limit', async () => {
    const model = await open(5000)
    const needs = ['conversation', 'quick', 'code', 'balanced'] as const
    await Promise.all(Array.from({ length: 16 }, (_, i) => ask(model, needs[i % 4])))
    expect(ollama.peak()).toBeLessThanOrEqual(5000 * 1024 * 1024)
    expect(ollama.did.filter((what) => what.startsWith('ask'))).toHaveLength(16)
  })

  test('does not ask what cannot fit: the next one answers, or the person is told', async () => {
    const alone = await open(500)
    const error = await ask(alone, 'conversation').catch((e: unknown) => e)
    expect(error).toBeInstanceOf(ModelError)
    expect((error as ModelError).message).toMatch(
      /^Ollama's model talk:latest needs about 1\.3 GB of memory, more than the 0\.5 GB/,
    )
    expect((error as ModelError).hint).toMatch(/OLLAMA_MEMORY_MB/)
    const model = await open(5000)
    expect((await ask(model, 'heavy')).model).toBe('talk')
    expect(ollama.did).not.toContain('load huge:70b')
  })

  test('says which model has to be pulled', async () => {
    const model = await open(5000, { OLLAMA_MODEL: 'nothere' })
    const error = await ask(model, 'conversation').catch((e: unknown) => e)
    expect(error).toMatchObject({
      fault: 'unknown_model',
      hint: expect.stringContaining('ollama pull nothere'),
    })
  })

  test('does not let Ollama cut a long question off unseen', async () => {
    const model = await open(5000)
    const error = await ask(model, 'conversation', { user: 'word '.repeat(5000) }).catch((e: unknown) => e)
    expect((error as ModelError).message).toMatch(
      /was loaded to read 4096 tokens at once, and this question has about \d+/,
    )
    expect((error as ModelError).hint).toMatch(/OLLAMA_CONTEXT_LENGTH/)
    expect(ollama.did).not.toContain('ask talk:latest')
  })

  test("asks all the same when Ollama's own API does not answer", async () => {
    const model = await open(5000)
    ollama.break(true)
    expect(await ask(model, 'conversation')).toMatchObject({ value: { ok: true }, cost_usd: 0 })
  })

  test('a question that is given up while it waits for room leaves at once', async () => {
    const model = await open(4000)
    const gate = Promise.withResolvers<void>()
    ollama.hold(gate.promise)
    const first = ask(model, 'code')
    await expect.poll(() => ollama.did).toContain('ask code:7b')
    const abort = new AbortController()
    const second = ask(model, 'conversation', { signal: abort.signal })
    setTimeout(() => abort.abort(new Error('enough')), 50)
    await expect(second).rejects.toThrow('enough')
    ollama.hold(null)
    gate.resolve()
    await first
    await ask(model, 'code')
  })

  test('is made ready at the start where it is the first for conversations', async () => {
    await (await open(5000)).warm?.()
    expect(ollama.loaded()).toEqual({ 'talk:latest': -1 })
    const cloudFirst = await open(5000, { OPENAI_API_KEY: 'k', AI_PROVIDER_PRIORITY: 'openai,ollama' })
    ollama.did.length = 0
    await cloudFirst.warm?.()
    expect(ollama.did).toEqual([])
  })
})

test.each([
  ['llama3.2', 'llama3.2:latest'],
  ['llama3.2:1b', 'llama3.2:1b'],
  ['hf.co/me/x', 'hf.co/me/x:latest'],
  ['localhost:5000/me/x', 'localhost:5000/me/x:latest'],
])('%s is %s', (name, full) => expect(fullName(name)).toBe(full))

test('the memory for keys and values follows layers, heads and context', () => {
  const llama = {
    'llama.block_count': 32,
    'llama.attention.head_count': 32,
    'llama.attention.head_count_kv': 8,
    'llama.embedding_length': 4096,
  }
  expect(keysAndValues(llama, 8192)).toBe(1024 ** 3)
  expect(keysAndValues({}, 8192)).toBe(0)
})
