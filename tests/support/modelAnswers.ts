import type { ServerResponse } from 'node:http'
import { setTimeout as delay } from 'node:timers/promises'
import type { ProviderName } from '../../core/config/model.ts'
import type { Refusal } from './providerFaults.ts'

/* Answers of an OpenAI-compatible endpoint, whole or as a stream of events, with each provider's way of counting. */

type Given = {
  content: string | object
  tokens_in?: number
  tokens_out?: number
  tokens_cached?: number
  cost?: number
  finish_reason?: string
  refusal?: string
  /** No choice at all. */
  empty?: boolean
  /** Of a stream: an error stands after the first part. */
  broken?: boolean
  parts?: number
  pace_ms?: number
  first_ms?: number
}

export function sendRefused(res: ServerResponse, { status, headers = {}, body }: Refusal): void {
  res
    .writeHead(status, { 'content-type': 'application/json', 'x-request-id': 'req_test', ...headers })
    .end(JSON.stringify(body))
}

function usageOf(provider: ProviderName, given: Given) {
  const { tokens_in = 100, tokens_out = 20, tokens_cached = 0 } = given
  const plain = {
    prompt_tokens: tokens_in,
    completion_tokens: tokens_out,
    total_tokens: tokens_in + tokens_out,
  }
  switch (provider) {
    case 'deepseek':
      return {
        ...plain,
        prompt_cache_hit_tokens: tokens_cached,
        prompt_cache_miss_tokens: tokens_in - tokens_cached,
      }
    // Thoughts are in the total alone.
    case 'gemini':
      return { ...plain, completion_tokens: Math.ceil(tokens_out / 2) }
    case 'openrouter':
      return {
        ...plain,
        ...(given.cost === undefined ? {} : { cost: given.cost }),
        prompt_tokens_details: { cached_tokens: tokens_cached },
      }
    case 'ollama':
      return plain
    default:
      return { ...plain, prompt_tokens_details: { cached_tokens: tokens_cached, audio_tokens: 0 } }
  }
}

const head = (model: string, object: string) => ({
  id: 'chatcmpl-test0000000000000000000000',
  object,
  created: 1_790_000_000,
  model,
})
const textOf = (given: Given): string =>
  typeof given.content === 'string' ? given.content : JSON.stringify(given.content)

function whole(provider: ProviderName, model: string, given: Given): object {
  const refused = given.refusal !== undefined
  const message = {
    ...{ role: 'assistant', content: refused ? null : textOf(given) },
    ...{ refusal: given.refusal ?? null, annotations: [] },
  }
  const choice = { index: 0, message, logprobs: null, finish_reason: given.finish_reason ?? 'stop' }
  return {
    ...head(model, 'chat.completion'),
    choices: given.empty ? [] : [choice],
    usage: usageOf(provider, given),
  }
}

/** The text in so many parts. */
function cutUp(text: string, parts: number): string[] {
  const size = Math.max(1, Math.ceil(text.length / parts))
  return Array.from({ length: Math.ceil(text.length / size) }, (_, i) => text.slice(i * size, (i + 1) * size))
}

async function streamed(
  res: ServerResponse,
  provider: ProviderName,
  model: string,
  given: Given,
): Promise<void> {
  const chunk = (choices: object[], more: object = {}) =>
    res.write(`data: ${JSON.stringify({ ...head(model, 'chat.completion.chunk'), choices, ...more })}\n\n`)
  const part = (delta: object, finish_reason: string | null = null) =>
    chunk([{ index: 0, delta, logprobs: null, finish_reason }])
  res.writeHead(200, { 'content-type': 'text/event-stream', 'x-request-id': 'req_test' })
  if (provider === 'openrouter') res.write(': OPENROUTER PROCESSING\n\n')
  if (provider === 'deepseek') res.write(': keep-alive\n\n')
  if (!given.empty) {
    part({ role: 'assistant', content: '' })
    if (given.first_ms) await delay(given.first_ms)
    if (given.refusal !== undefined) part({ refusal: given.refusal })
    for (const [i, text] of cutUp(textOf(given), given.parts ?? 3).entries()) {
      if (i > 0 && given.pace_ms) await delay(given.pace_ms)
      if (res.destroyed) return
      part({ content: text })
      if (given.broken) {
        const error = { code: 502, message: 'Provider disconnected unexpectedly' }
        res.end(
          `data: ${JSON.stringify({ id: 'gen-test', error, choices: [{ index: 0, delta: { content: '' }, finish_reason: 'error' }] })}\n\n`,
        )
        return
      }
    }
    part({}, given.finish_reason ?? 'stop')
  }
  chunk([], { usage: usageOf(provider, given) })
  res.end('data: [DONE]\n\n')
}

/** An answer, streamed where that was asked for. */
export async function sendAnswer(
  res: ServerResponse,
  provider: ProviderName,
  { model, stream }: { model: string; stream: boolean },
  given: Given,
): Promise<void> {
  if (stream) return streamed(res, provider, model, given)
  res
    .writeHead(200, { 'content-type': 'application/json', 'x-request-id': 'req_test' })
    .end(JSON.stringify(whole(provider, model, given)))
}
