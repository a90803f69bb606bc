import type { OpenAI } from 'openai'
import type { Stream } from 'openai/core/streaming'
import type {
  ChatCompletion,
  ChatCompletionChunk,
  ChatCompletionCreateParams,
} from 'openai/resources/chat/completions'
import type { OutputMode, ProviderSettings } from '../config/model.ts'
import { type At, explainFault, modelError } from './explainFault.ts'
import type { Meter } from './meter.ts'
import { errorIn, failureOf, faultOf, fieldOf } from './readFailure.ts'

/** One request, ready to be sent: its texts are redacted, its model and form are chosen. */
export type Question = {
  system: string
  user: string
  schemaName: string
  /** JSON Schema of the answer. */
  schema: Record<string, unknown>
  mode: OutputMode
  maxTokens: number
  signal: AbortSignal
  /** Told all of the text so far. */
  onText?: ((soFar: string) => void) | undefined
}

/** A refusal's body in the one shape that the client reads: Gemini wraps it into an array. */
async function plainFetch(url: string | URL | Request, init?: RequestInit): Promise<Response> {
  const response = await fetch(url, init)
  if (response.ok) return response
  const text = (await response.text()).slice(0, 20_000)
  const { status, statusText, headers } = response
  return new Response(plainBody(text), { status, statusText, headers: withoutLength(headers) })
}

function plainBody(text: string): string {
  try {
    const error = errorIn(JSON.parse(text))
    return error === undefined
      ? text
      : JSON.stringify({ error: typeof error === 'string' ? { message: error } : error })
  } catch {
    return text
  }
}

function withoutLength(headers: Headers): Headers {
  const kept = new Headers(headers)
  kept.delete('content-length')
  kept.delete('content-encoding')
  return kept
}

/** The package costs 27 MB of memory: it is loaded at the first question. Repeating and limits are the router's. */
export async function openClient(at: Pick<ProviderSettings, 'apiKey' | 'baseUrl'>): Promise<OpenAI> {
  const { OpenAI } = await import('openai')
  return new OpenAI({
    apiKey: at.apiKey ?? 'none',
    baseURL: at.baseUrl,
    organization: null,
    project: null,
    maxRetries: 0,
    logLevel: 'off',
    fetch: plainFetch,
  })
}

function responseFormat({ mode, schemaName, schema }: Question) {
  if (mode === 'schema')
    return {
      response_format: {
        type: 'json_schema' as const,
        json_schema: { name: schemaName, strict: true, schema },
      },
    }
  return mode === 'object' ? { response_format: { type: 'json_object' as const } } : {}
}

/** Groq streams no structured answers. */
const streams = (at: Pick<ProviderSettings, 'name'>, mode: OutputMode): boolean =>
  at.name !== 'groq' || mode === 'text'

function requestBody(at: At, question: Question): ChatCompletionCreateParams {
  const told =
    question.mode === 'schema'
      ? ''
      : `\n\nAnswer with one JSON object and nothing else. Its JSON Schema:\n${JSON.stringify(question.schema)}`
  const stream = streams(at, question.mode)
    ? { stream: true as const, stream_options: { include_usage: true } }
    : {}
  return {
    model: at.model,
    messages: [
      { role: 'system', content: question.system + told },
      { role: 'user', content: question.user },
    ],
    ...(at.name === 'openai'
      ? { max_completion_tokens: question.maxTokens }
      : { max_tokens: question.maxTokens }),
    ...responseFormat(question),
    ...stream,
  }
}

/** Models wrap JSON into fences and small talk; what stands from the first brace to the last is taken. */
export function parseAnswer(text: string): unknown {
  const from = text.indexOf('{')
  const to = text.lastIndexOf('}')
  try {
    return JSON.parse(from >= 0 && to > from ? text.slice(from, to + 1) : text)
  } catch {
    return undefined
  }
}

/** An answer of more letters is none: 16,000 tokens have about 60,000. */
const MAX_LETTERS = 1_000_000

type Choice = { refusal?: string | null; finish?: string | null; there: boolean }

/** Reads the parts of a stream as they come. One that ends without saying why was cut. */
async function readStream(
  stream: Stream<ChatCompletionChunk>,
  question: Question,
  meter: Meter,
): Promise<Choice> {
  const choice: Choice = { there: false }
  for await (const chunk of stream) {
    const part = chunk.choices?.[0]
    meter.usage(chunk.usage ?? fieldOf(fieldOf(chunk, 'x_groq'), 'usage'))
    if (!part) continue
    choice.there = true
    if (part.delta?.refusal) choice.refusal = part.delta.refusal
    if (part.finish_reason) choice.finish = part.finish_reason
    // A model that thinks is at work, though it has said nothing yet.
    if (fieldOf(part.delta, 'reasoning_content') || fieldOf(part.delta, 'reasoning')) meter.thinks()
    if (part.delta?.content) {
      meter.add(part.delta.content)
      if (meter.text.length > MAX_LETTERS) throw new SyntaxError('it does not end')
      question.onText?.(meter.text)
    }
  }
  question.signal.throwIfAborted()
  if (choice.there && !choice.finish) throw new TypeError('the stream was cut')
  return choice
}

function readWhole(completion: ChatCompletion, question: Question, meter: Meter): Choice {
  const part = completion.choices?.[0]
  meter.usage(completion.usage)
  if (part?.message?.content) {
    meter.add(part.message.content)
    question.onText?.(meter.text)
  }
  return {
    there: part !== undefined && part !== null,
    refusal: part?.message?.refusal ?? null,
    finish: part?.finish_reason ?? null,
  }
}

/** An error that came with status 200, as OpenRouter sends those of the provider behind it. */
function throwInner(body: unknown, at: At, seconds: number): void {
  if (errorIn(body) === undefined || errorIn(body) === null) return
  const failure = failureOf(200, undefined, body, Date.now())
  throw modelError(faultOf(failure), at, seconds, failure)
}

async function send(
  client: OpenAI,
  at: At,
  question: Question,
  meter: Meter,
  seconds: number,
): Promise<Choice> {
  const body = requestBody(at, question)
  const { data, response } = await client.chat.completions
    .create(body, { signal: question.signal, timeout: seconds * 1000 })
    .withResponse()
  if (!('choices' in data) && Symbol.asyncIterator in data) {
    if (!response.headers.get('content-type')?.startsWith('application/json'))
      return readStream(data, question, meter)
    // Something between us and the provider does not stream.
    const whole = (await response.json()) as ChatCompletion
    throwInner(whole, at, seconds)
    return readWhole(whole, question, meter)
  }
  throwInner(data, at, seconds)
  return readWhole(data as ChatCompletion, question, meter)
}

/**
 * Sends one request to one model. What came, and what it cost, is in `meter`, also when it fails or is aborted halfway.
 * Throws ModelError, or the reason of the question's signal, whose abort ends the request on the wire.
 * `seconds`: the time limit, for words alone; the signal ends it.
 */
export async function callModel(
  client: OpenAI,
  at: At,
  question: Question,
  meter: Meter,
  seconds: number,
): Promise<void> {
  try {
    question.signal.throwIfAborted()
    const choice = await send(client, at, question, meter, seconds)
    if (choice.refusal || choice.finish === 'content_filter') throw modelError('refused', at, seconds)
    if (choice.finish === 'length') throw modelError('cut', at, seconds)
    if (choice.finish === 'error') throw modelError('server', at, seconds)
    if (!choice.there || meter.text === '') throw modelError('answer', at, seconds)
  } catch (error) {
    question.signal.throwIfAborted()
    throw explainFault(error, at, seconds)
  }
}
