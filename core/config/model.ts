import { totalmem } from 'node:os'
import { z } from 'zod'
import type { Budgets, Need } from '../llm/model.ts'
import { amount, chain, maybe, prices, tokens } from './modelValues.ts'
import { duration, type Env, MB, megabytes, readSettings, urlOf } from './settings.ts'

/**
 * How a provider keeps to a JSON schema: `schema` enforces it, `object` promises JSON of any shape, `text`
 * promises nothing. The schema stands in the prompt for the last two.
 */
export type OutputMode = 'schema' | 'object' | 'text'

type ProviderFacts = { label: string; keySetting: string; baseUrl: string; model: string; output: OutputMode }

/**
 * The seven providers and their OpenAI-compatible endpoints, as their documentation gave them in November 2026.
 * Anthropic's compatible endpoint ignores `response_format`; DeepSeek knows `json_object` only. `model`: the one that
 * is asked when nothing else is set; core/llm/catalogue.ts has others for some needs.
 */
const providerFacts = {
  gemini: {
    label: 'Gemini',
    keySetting: 'GOOGLE_AI_API_KEY',
    baseUrl: 'https://generativelanguage.googleapis.com/v1beta/openai/',
    model: 'gemini-3.8-flash',
    output: 'schema',
  },
  groq: {
    label: 'Groq',
    keySetting: 'GROQ_API_KEY',
    baseUrl: 'https://api.groq.com/openai/v1',
    model: 'openai/gpt-oss-120b',
    output: 'schema',
  },
  openrouter: {
    label: 'OpenRouter',
    keySetting: 'OPENROUTER_API_KEY',
    baseUrl: 'https://openrouter.ai/api/v1',
    model: 'qwen/qwen3-next-80b-a3b-instruct:free',
    output: 'schema',
  },
  deepseek: {
    label: 'DeepSeek',
    keySetting: 'DEEPSEEK_API_KEY',
    baseUrl: 'https://api.deepseek.com',
    model: 'deepseek-v4-flash',
    output: 'object',
  },
  openai: {
    label: 'OpenAI',
    keySetting: 'OPENAI_API_KEY',
    baseUrl: 'https://api.openai.com/v1',
    model: 'gpt-5.6-luna',
    output: 'schema',
  },
  claude: {
    label: 'Claude',
    keySetting: 'ANTHROPIC_API_KEY',
    baseUrl: 'https://api.anthropic.com/v1/',
    model: 'claude-sonnet-5-5',
    output: 'text',
  },
  ollama: {
    label: 'Ollama',
    keySetting: 'OLLAMA_BASE_URL',
    baseUrl: 'http://localhost:11434/v1',
    model: 'gpt-oss:20b',
    output: 'schema',
  },
} as const satisfies Record<string, ProviderFacts>

export type ProviderName = keyof typeof providerFacts
export const providerNames = Object.keys(providerFacts) as ProviderName[]

const DEFAULT_PRIORITY = 'gemini,groq,openrouter,deepseek,openai,claude,ollama'
const OPENROUTER_FALLBACKS = [
  'qwen/qwen3-vl-235b-a22b-thinking',
  'openai/gpt-oss-120b:free',
  'qwen/qwen3-coder:free',
  'google/gemma-3n-e2b-it:free',
  'deepseek/deepseek-r1-0528:free',
  'meta-llama/llama-3.3-70b-instruct:free',
].join(',')

/** One provider that takes part: its key (or address) is set. `models`: the first to call, then its fallbacks. */
export type ProviderSettings = {
  name: ProviderName
  label: string
  keySetting: string
  /** Null for a provider that needs none (Ollama). Never shown. */
  apiKey: string | null
  baseUrl: string
  models: [string, ...string[]]
  /** The model was named in the settings: it is asked for every need. */
  fixed: boolean
  output: OutputMode
}

/** A model of a provider, as the settings name it: `openai:gpt-5.6-luna`. */
export type NamedModel = { provider: ProviderName; model: string }
/** US dollars for a million tokens. */
export type Price = { in: number; out: number; cached: number }
/** The providers that take part, in the order they are to be asked, and how. */
export type ModelSettings = {
  providers: ProviderSettings[]
  /** Asked before all others for a need. */
  first: Record<Need, NamedModel[]>
  /** Prices the owner gave, by `provider:model`. */
  prices: Record<string, Price>
  budgets: Budgets
  /** For how long one question may go on in all. */
  timeoutMs: number
  /** A second model is asked when the first is silent for so long; null: never. */
  hedgeMs: number | null
  /** How long an identical question is answered from memory. */
  cacheMs: number
  /** Bytes that the models in Ollama's memory may take together; null: not known, no limit. */
  ollamaMemory: number | null
  ollamaKeepAliveS: number
}

const listed = (text: string): string[] => text.split(',').flatMap((part) => part.trim() || [])
const isProvider = (name: string): name is ProviderName => Object.hasOwn(providerFacts, name)
/** A provider's name as people know it: `OpenAI`. */
export const labelOf = (name: string): string => (isProvider(name) ? providerFacts[name].label : name)

const priority = z
  .string()
  .default(DEFAULT_PRIORITY)
  .transform((text) => listed(text.toLowerCase()))
  .refine((names) => names.every(isProvider), `a comma-separated list of ${providerNames.join(', ')}`)
  .transform((names) => [...new Set(names.filter(isProvider))])

const key = z.string().max(1000).optional()
const url = urlOf('http', 'https').optional()
const modelId = z.string().max(200).optional()
const modelIds = z.string().default(OPENROUTER_FALLBACKS).transform(listed)

const table = {
  AI_PROVIDER_PRIORITY: priority,
  GOOGLE_AI_API_KEY: key,
  GROQ_API_KEY: key,
  OPENROUTER_API_KEY: key,
  DEEPSEEK_API_KEY: key,
  OPENAI_API_KEY: key,
  ANTHROPIC_API_KEY: key,
  GEMINI_BASE_URL: url,
  GROQ_BASE_URL: url,
  OPENROUTER_BASE_URL: url,
  DEEPSEEK_BASE_URL: url,
  OPENAI_BASE_URL: url,
  CLAUDE_BASE_URL: url,
  OLLAMA_BASE_URL: url,
  GEMINI_MODEL: modelId,
  GROQ_MODEL: modelId,
  OPENROUTER_MODEL: modelId,
  OPENROUTER_FALLBACK_MODELS: modelIds,
  DEEPSEEK_MODEL: modelId,
  OPENAI_MODEL: modelId,
  CLAUDE_MODEL: modelId,
  OLLAMA_MODEL: modelId,
  AI_MODELS_CONVERSATION: chain(isProvider).default([]),
  AI_MODELS_QUICK: chain(isProvider).default([]),
  AI_MODELS_BALANCED: chain(isProvider).default([]),
  AI_MODELS_HEAVY: chain(isProvider).default([]),
  AI_MODELS_CODE: chain(isProvider).default([]),
  AI_PRICES: prices(isProvider).default({}),
  AI_DAILY_TOKENS: maybe(tokens).default(3_000_000),
  AI_DAILY_USD: maybe(amount).default(null),
  AI_RUN_TOKENS: maybe(tokens).default(300_000),
  AI_RUN_USD: maybe(amount).default(null),
  AI_TIMEOUT: duration.default(60_000),
  AI_HEDGE_AFTER: maybe(duration).default(8000),
  AI_CACHE_FOR: duration.default(120_000),
  OLLAMA_MEMORY_MB: megabytes.optional(),
  OLLAMA_KEEP_ALIVE: duration.default(300_000),
}

/** Every setting of the language models, by name. */
export const modelSettings: readonly string[] = Object.keys(table)

type Values = z.output<z.ZodObject<typeof table>>

/** `http://host:11434` is what people set for Ollama; its compatible endpoint is below `/v1`. */
function withPath(address: string): string {
  const at = new URL(address)
  if (at.pathname === '/') at.pathname = '/v1'
  return at.toString()
}

const upper = (name: ProviderName) => name.toUpperCase() as Uppercase<ProviderName>

function provider(name: ProviderName, values: Values): ProviderSettings | null {
  const facts = providerFacts[name]
  if (!values[facts.keySetting]) return null
  const given = values[`${upper(name)}_BASE_URL`]
  const fallbacks = name === 'openrouter' ? values.OPENROUTER_FALLBACK_MODELS : []
  const model = values[`${upper(name)}_MODEL`] ?? facts.model
  const baseUrl = given ?? facts.baseUrl
  return {
    name,
    label: facts.label,
    keySetting: facts.keySetting,
    apiKey: name === 'ollama' ? null : (values[facts.keySetting] ?? null),
    baseUrl: name === 'ollama' ? withPath(baseUrl) : baseUrl,
    models: [model, ...fallbacks.filter((id) => id !== model)],
    fixed: model !== facts.model,
    output: facts.output,
  }
}

/** Of this machine's memory, what models may take where Ollama runs here and nothing was set. */
const OLLAMA_SHARE = 0.75
const isHere = (url: string): boolean => /^(localhost|127\.|\[::1\])/.test(new URL(url).host)

function ollamaMemory(values: Values): number | null {
  if (values.OLLAMA_MEMORY_MB) return values.OLLAMA_MEMORY_MB
  const url = values.OLLAMA_BASE_URL
  return url && isHere(url) ? Math.floor((totalmem() * OLLAMA_SHARE) / MB) * MB : null
}

/** Reads which language models may be asked. Pure. Throws ConfigError with one line; keys are never quoted back. */
export function readModelSettings(env: Env): ModelSettings {
  const values = readSettings(table, env)
  return {
    providers: values.AI_PROVIDER_PRIORITY.flatMap((name) => provider(name, values) ?? []),
    first: {
      conversation: values.AI_MODELS_CONVERSATION,
      quick: values.AI_MODELS_QUICK,
      balanced: values.AI_MODELS_BALANCED,
      heavy: values.AI_MODELS_HEAVY,
      code: values.AI_MODELS_CODE,
    },
    prices: values.AI_PRICES,
    budgets: {
      dailyTokens: values.AI_DAILY_TOKENS,
      dailyUsd: values.AI_DAILY_USD,
      runTokens: values.AI_RUN_TOKENS,
      runUsd: values.AI_RUN_USD,
    },
    timeoutMs: values.AI_TIMEOUT,
    hedgeMs: values.AI_HEDGE_AFTER,
    cacheMs: values.AI_CACHE_FOR,
    ollamaMemory: ollamaMemory(values),
    ollamaKeepAliveS: values.OLLAMA_KEEP_ALIVE / 1000,
  }
}
