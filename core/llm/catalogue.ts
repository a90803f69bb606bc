import type { OutputMode, Price, ProviderName, ProviderSettings } from '../config/model.ts'
import type { Need } from './model.ts'

/*
 * What is known of the providers' models: for which needs one other than the provider's first is asked, how much they
 * read at once, what they are not good at, and what they cost. A model that is not listed is asked for everything,
 * whatever the length, at a price that is not known. AI_MODELS_<NEED>, <PROVIDER>_MODEL and AI_PRICES overrule all of it.
 */

/** `cached` left out: not known, such tokens are counted in full. `from`: before that day the row before holds. */
type PriceRow = { in: number; out: number; cached?: number; from?: string }

type Facts = {
  /** Tokens of question and answer together. */
  context: number
  /** Asked for these needs only when nothing better is left: too slow, or too weak. */
  poor?: readonly Need[]
  output?: OutputMode
  /** List prices, oldest first. */
  prices?: readonly PriceRow[]
}

/**
 * Prices are those of the providers' own lists for the standard tier, looked up on 21 November 2026 (docs/models.md has
 * the sources). DeepSeek: those of the busy hours. Long prompts that cost more above a threshold are not told apart.
 */
const facts: Record<string, Facts> = {
  'gemini:gemini-3.8-flash': {
    context: 1_048_576,
    prices: [
      { in: 0.75, out: 3.75, cached: 0.075 },
      { in: 1.5, out: 7.5, from: '2027-01-01' },
    ],
  },
  'groq:openai/gpt-oss-120b': { context: 131_072, prices: [{ in: 0.15, out: 0.6 }] },
  'groq:openai/gpt-oss-20b': {
    context: 131_072,
    poor: ['heavy', 'code'],
    prices: [{ in: 0.075, out: 0.3 }],
  },
  'openrouter:qwen/qwen3-next-80b-a3b-instruct:free': { context: 262_144 },
  'openrouter:qwen/qwen3-vl-235b-a22b-thinking': { context: 131_072, poor: ['conversation', 'quick'] },
  'openrouter:openai/gpt-oss-120b:free': { context: 131_072 },
  'openrouter:qwen/qwen3-coder:free': { context: 262_144, poor: ['conversation'] },
  'openrouter:google/gemma-3n-e2b-it:free': {
    context: 8192,
    poor: ['balanced', 'heavy', 'code'],
    output: 'text',
  },
  'openrouter:deepseek/deepseek-r1-0528:free': {
    context: 163_840,
    poor: ['conversation', 'quick'],
    output: 'text',
  },
  'openrouter:meta-llama/llama-3.3-70b-instruct:free': { context: 131_072, poor: ['heavy', 'code'] },
  'deepseek:deepseek-v4-flash': { context: 1_048_576, prices: [{ in: 0.44, out: 1.32, cached: 0.014 }] },
  'deepseek:deepseek-v4-pro': {
    context: 1_048_576,
    poor: ['conversation', 'quick'],
    prices: [{ in: 1.32, out: 3.96 }],
  },
  'openai:gpt-5.6-luna': { context: 1_050_000, prices: [{ in: 0.2, out: 1.2, cached: 0.02 }] },
  'openai:gpt-5.6-terra': {
    context: 1_050_000,
    poor: ['conversation', 'quick'],
    prices: [{ in: 2, out: 12, cached: 0.2 }],
  },
  'claude:claude-sonnet-5-5': { context: 1_000_000, prices: [{ in: 2, out: 10, cached: 0.1 }] },
  'claude:claude-opus-5-5': {
    context: 1_000_000,
    poor: ['conversation', 'quick'],
    prices: [{ in: 4, out: 20, cached: 0.2 }],
  },
  'claude:claude-haiku-5-5': {
    context: 200_000,
    poor: ['heavy', 'code'],
    prices: [{ in: 0.1, out: 0.5, cached: 0.01 }],
  },
  'gemini:gemini-embedding-001': { context: 2048, prices: [{ in: 0.15, out: 0 }] },
  'openai:text-embedding-3-small': { context: 8192, prices: [{ in: 0.02, out: 0 }] },
  'ollama:gpt-oss:20b': { context: 131_072, poor: ['heavy'] },
}

/** Where a provider has a better model for a need than its first one. */
const better: Partial<Record<ProviderName, Partial<Record<Need, string>>>> = {
  groq: { conversation: 'openai/gpt-oss-20b', quick: 'openai/gpt-oss-20b' },
  openrouter: { code: 'qwen/qwen3-coder:free' },
  deepseek: { heavy: 'deepseek-v4-pro', code: 'deepseek-v4-pro' },
  openai: { heavy: 'gpt-5.6-terra', code: 'gpt-5.6-terra' },
  claude: { quick: 'claude-haiku-5-5', heavy: 'claude-opus-5-5' },
}

export const modelKey = (provider: string, model: string): string => `${provider}:${model}`

/** The models of a provider in the order they are asked for a need; one that the settings name is asked for all. Pure. */
export function modelsFor(at: Pick<ProviderSettings, 'name' | 'models' | 'fixed'>, need: Need): string[] {
  const best = at.fixed ? undefined : better[at.name]?.[need]
  return best && (at.name !== 'openrouter' || at.models.includes(best))
    ? [...new Set([best, ...at.models])]
    : [...at.models]
}

export const contextOf = (provider: string, model: string): number =>
  facts[modelKey(provider, model)]?.context ?? Number.POSITIVE_INFINITY

export const isPoor = (provider: string, model: string, need: Need): boolean =>
  facts[modelKey(provider, model)]?.poor?.includes(need) ?? false

export const outputOf = (at: Pick<ProviderSettings, 'name' | 'output'>, model: string): OutputMode =>
  facts[modelKey(at.name, model)]?.output ?? at.output

const free: Price = { in: 0, out: 0, cached: 0 }

/** What a model costs on a day; null where that is not known. What runs on one's own machine costs nothing. Pure. */
export function priceOf(
  provider: string,
  model: string,
  given: Record<string, Price> = {},
  on = new Date(),
): Price | null {
  const key = modelKey(provider, model)
  if (given[key]) return given[key]
  if (provider === 'ollama' || (provider === 'openrouter' && model.endsWith(':free'))) return free
  const day = on.toISOString().slice(0, 10)
  const row = facts[key]?.prices?.filter(({ from = '' }) => from <= day).at(-1)
  return row ? { in: row.in, out: row.out, cached: row.cached ?? row.in } : null
}

/** US dollars for so many tokens; `cached` of those that went in. Pure. */
export const costOf = (price: Price, tokens: { in: number; out: number; cached: number }): number =>
  ((tokens.in - tokens.cached) * price.in + tokens.cached * price.cached + tokens.out * price.out) / 1e6
