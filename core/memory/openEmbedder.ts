import { randomUUID } from 'node:crypto'
import type { OpenAI } from 'openai'
import type { MemorySettings } from '../config/control.ts'
import type { ModelSettings, ProviderSettings } from '../config/model.ts'
import { type EndedCall, isCounted, type NewCall } from '../llm/callLedger.ts'
import { openClient } from '../llm/callModel.ts'
import { costOf, priceOf } from '../llm/catalogue.ts'
import { explainFault } from '../llm/explainFault.ts'
import { estimateTokens, Meter } from '../llm/meter.ts'
import { ModelError } from '../llm/model.ts'
import { noRecords } from '../llm/records.ts'
import type { Records } from '../llm/routerDeps.ts'
import { DIMENSIONS, type Embedder, fitted } from './embedder.ts'

/**
 * Providers with an embeddings endpoint, and the model that is asked when none is set. `shortens`: it gives vectors of the
 * length asked for. `prefix`: what a model was trained to see before its texts.
 */
const endpoints = {
  gemini: { model: 'gemini-embedding-001', shortens: true },
  openai: { model: 'text-embedding-3-small', shortens: true },
  ollama: { model: 'nomic-embed-text', shortens: false },
} as const

/** Letters of one text that are told to a provider, at most. */
const MAX_LETTERS = 8000

const isEndpoint = (name: string): name is keyof typeof endpoints => Object.hasOwn(endpoints, name)

/** Models of the nomic family want to be told what a text is for. */
const marked = (model: string, as: 'document' | 'query', text: string): string =>
  model.startsWith('nomic-embed') ? `search_${as}: ${text}` : text

/** Where requests are written down, and what they may cost. */
export type EmbedderCalls = Pick<ModelSettings, 'budgets' | 'prices'> & { records: Records }
const uncounted: EmbedderCalls = {
  budgets: { dailyTokens: null, dailyUsd: null, runTokens: null, runUsd: null },
  prices: {},
  records: noRecords,
}

/**
 * What turns memories into vectors: the provider of the settings, null where there is none. Opens no connection. What is
 * sent goes through `redact`; each request is a row of `model_call` with the purpose `embed`, and keeps to the budget of
 * the day. Its faults are ModelErrors.
 */
export function openEmbedder(
  providers: readonly ProviderSettings[],
  settings: MemorySettings['embeddings'],
  redact: (text: string) => string,
  calls: EmbedderCalls = uncounted,
): Embedder | null {
  if (settings.provider === 'off') return null
  const at = providers.find(({ name }) =>
    settings.provider === 'auto' ? isEndpoint(name) : name === settings.provider,
  )
  if (!at || !isEndpoint(at.name)) return null
  const { model: usual, shortens } = endpoints[at.name]
  const model = settings.model ?? usual
  let client: Promise<OpenAI> | null = null
  return {
    name: `${at.name}:${model}`,
    embed: async (texts, as, signal) => {
      client ??= openClient(at)
      const input = texts.map((text) => marked(model, as, redact(text).slice(0, MAX_LETTERS)))
      const body = {
        model,
        input,
        encoding_format: 'float' as const,
        ...(shortens ? { dimensions: DIMENSIONS } : {}),
      }
      const opened = await client
      return counted(calls, { at, model }, input, async (meter) => {
        const { data, usage } = await opened.embeddings.create(body, { signal })
        meter.usage(usage)
        return inOrder(data, texts.length)
      })
    },
  }
}

/** Sends one request, written down before and after. Throws ModelError, also where a budget does not cover it. */
async function counted(
  { records, budgets, prices }: EmbedderCalls,
  { at, model }: { at: ProviderSettings; model: string },
  input: readonly string[],
  send: (meter: Meter) => Promise<number[][]>,
): Promise<number[][]> {
  const price = priceOf(at.name, model, prices)
  if (price === null && budgets.dailyUsd !== null && isCounted(at.name)) throw unpriced(at, model)
  const tokens = input.reduce((sum, text) => sum + estimateTokens(text), 0)
  const cost = (used: number): number | null => price && costOf(price, { in: used, out: 0, cached: 0 })
  const call: NewCall = {
    ...{ id: randomUUID(), questionId: randomUUID(), provider: at.name, model, purpose: 'embed' },
    ...{ need: 'quick', runId: null, personId: null, hedge: false },
    ...{ reservedTokens: tokens, reservedUsd: cost(tokens) },
  }
  const refused = await records.begin(call)
  if (refused) throw refused
  const meter = new Meter()
  const end = (outcome: string, prompt: number): Promise<void> => {
    const told = meter.counted(prompt)
    const ended: EndedCall = {
      ...{
        outcome,
        tokensIn: told.in,
        tokensOut: 0,
        tokensCached: 0,
        estimated: told.estimated && prompt > 0,
      },
      ...{ costUsd: cost(told.in), ms: meter.ms, firstMs: null, retryAfterMs: null },
    }
    return records.end(call, ended)
  }
  try {
    const vectors = await send(meter)
    await end('answered', tokens)
    return vectors
  } catch (error) {
    const fault = explainFault(error, { ...at, model }, Math.max(1, Math.round(meter.ms / 1000)))
    await end(fault.fault, 0)
    throw fault
  }
}

const unpriced = ({ name, label }: ProviderSettings, model: string): ModelError =>
  new ModelError(
    'budget',
    `Memories get no embeddings: what ${model} of ${label} costs is not known, and AI_DAILY_USD is set.`,
    `Set its price: AI_PRICES=${name}:${model}=…`,
  )

/** Vectors in the order of their texts, whatever order they came in. Throws when one is missing. */
function inOrder(data: readonly { index: number; embedding: number[] }[], count: number): number[][] {
  const byIndex = new Map(data.map((one, n) => [one.index ?? n, one.embedding]))
  return Array.from({ length: count }, (_, n) => {
    const vector = byIndex.get(n)
    if (!Array.isArray(vector) || vector.length === 0 || !vector.every(Number.isFinite))
      throw new SyntaxError(`the provider gave no vector for text ${n + 1} of ${count}`)
    return fitted(vector)
  })
}
