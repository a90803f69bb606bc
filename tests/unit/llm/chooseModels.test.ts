import { describe, expect, test } from 'vitest'
import { readModelSettings } from '../../../core/config/model.ts'
import { costOf, priceOf } from '../../../core/llm/catalogue.ts'
import { chooseModels } from '../../../core/llm/chooseModels.ts'
import type { Need } from '../../../core/llm/model.ts'

const order = (env: Record<string, string>, need: Need, tokens = 1000): string[] =>
  chooseModels(readModelSettings(env), { need, tokens }).map(({ provider, model }) => `${provider}:${model}`)

const two = { GROQ_API_KEY: 'k', OPENAI_API_KEY: 'k' }

describe('the models to ask', () => {
  test.each<[Need, string[]]>([
    ['balanced', ['groq:openai/gpt-oss-120b', 'openai:gpt-5.6-luna']],
    ['quick', ['groq:openai/gpt-oss-20b', 'groq:openai/gpt-oss-120b', 'openai:gpt-5.6-luna']],
    ['heavy', ['groq:openai/gpt-oss-120b', 'openai:gpt-5.6-terra', 'openai:gpt-5.6-luna']],
  ])('for %s', (need, models) => expect(order(two, need)).toEqual(models))

  test('follow the order of the settings', () => {
    expect(order({ ...two, AI_PROVIDER_PRIORITY: 'openai,groq' }, 'balanced')[0]).toBe('openai:gpt-5.6-luna')
  })

  test('are those that a need names first, if their provider takes part; each once', () => {
    const named = 'claude:claude-opus-5-5,openai:gpt-next,groq:openai/gpt-oss-120b'
    expect(order({ ...two, AI_MODELS_CODE: named }, 'code')).toEqual([
      'openai:gpt-next',
      'groq:openai/gpt-oss-120b',
      'openai:gpt-5.6-terra',
      'openai:gpt-5.6-luna',
    ])
  })

  test('are the one that the settings name for every need', () => {
    for (const need of ['quick', 'heavy', 'code'] as const)
      expect(order({ OPENAI_API_KEY: 'k', OPENAI_MODEL: 'mine' }, need)).toEqual(['openai:mine'])
  })

  test('that are poor at it come last, after other providers', () => {
    const models = order(
      { ...two, OPENROUTER_API_KEY: 'k', OLLAMA_BASE_URL: 'http://localhost:11434' },
      'heavy',
    )
    expect(models.indexOf('ollama:gpt-oss:20b')).toBeGreaterThan(models.indexOf('openai:gpt-5.6-terra'))
    expect(models.at(-1)).toBe('ollama:gpt-oss:20b')
    expect(models).toContain('openrouter:google/gemma-3n-e2b-it:free')
  })

  test('that cannot read so much are left out', () => {
    expect(order(two, 'balanced', 200_000)).toEqual(['openai:gpt-5.6-luna'])
    expect(order(two, 'balanced', 2_000_000)).toEqual([])
    expect(order({ OPENAI_API_KEY: 'k', OPENAI_MODEL: 'mine' }, 'balanced', 2_000_000)).toEqual([
      'openai:mine',
    ])
  })
})

describe('prices', () => {
  const on = (day: string) => new Date(`${day}T12:00:00Z`)

  test.each<[string, string, string, unknown]>([
    ['gemini', 'gemini-3.8-flash', '2026-12-31', { in: 0.75, out: 3.75, cached: 0.075 }],
    ['gemini', 'gemini-3.8-flash', '2027-01-01', { in: 1.5, out: 7.5, cached: 1.5 }],
    ['openrouter', 'any/thing:free', '2026-12-31', { in: 0, out: 0, cached: 0 }],
    ['ollama', 'anything', '2026-12-31', { in: 0, out: 0, cached: 0 }],
    ['openai', 'gpt-next', '2026-12-31', null],
    ['openrouter', 'openai/gpt-5', '2026-12-31', null],
  ])('of %s %s on %s', (provider, model, day, price) =>
    expect(priceOf(provider, model, {}, on(day))).toEqual(price),
  )

  test('that are given win, and tokens that were kept are cheaper', () => {
    const given = { 'openai:gpt-5.6-luna': { in: 10, out: 100, cached: 1 } }
    const price = priceOf('openai', 'gpt-5.6-luna', given)
    expect(price && costOf(price, { in: 1_000_000, out: 10_000, cached: 600_000 })).toBeCloseTo(4 + 0.6 + 1)
  })
})
