import type { OpenAI } from 'openai'
import type { MemorySettings } from '../config/control.ts'
import type { ProviderSettings } from '../config/model.ts'
import { openClient } from '../llm/callModel.ts'
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

/**
 * What turns memories into vectors: the provider of the settings, null where there is none. Opens no connection. What is
 * sent goes through `redact`.
 */
export function openEmbedder(
  providers: readonly Pick<ProviderSettings, 'name' | 'apiKey' | 'baseUrl'>[],
  settings: MemorySettings['embeddings'],
  redact: (text: string) => string,
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
      const { data } = await (await client).embeddings.create(body, { signal })
      return inOrder(data, texts.length)
    },
  }
}

/** Vectors in the order of their texts, whatever order they came in. Throws when one is missing. */
function inOrder(data: readonly { index: number; embedding: number[] }[], count: number): number[][] {
  const byIndex = new Map(data.map((one, n) => [one.index ?? n, one.embedding]))
  return Array.from({ length: count }, (_, n) => {
    const vector = byIndex.get(n)
    if (!Array.isArray(vector) || vector.length === 0 || !vector.every(Number.isFinite))
      throw new Error(`the provider gave no vector for text ${n + 1} of ${count}`)
    return fitted(vector)
  })
}
