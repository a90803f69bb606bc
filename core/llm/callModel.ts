import type { OpenAI } from 'openai'
import type {
  ChatCompletion,
  ChatCompletionCreateParamsNonStreaming,
} from 'openai/resources/chat/completions'
import type { OutputMode, ProviderSettings } from '../config/model.ts'
import { adaptSchema } from './adaptSchema.ts'
import { explainFault, modelError } from './explainFault.ts'
import type { Answer, Completion } from './model.ts'

type Redact = (text: string) => string

/** Seconds one question may take in all, its one retry included. */
const LIMIT_S = 60
/** A provider that asks for a longer wait than this many seconds is not waited for: the person is told instead. */
const PATIENCE_S = 5
const MAX_ANSWER_TOKENS = 16_000

/** The client repeats once after what passes by itself (429, 5xx, a cut connection), but never after a long wait. */
async function patientFetch(url: string | URL | Request, init?: RequestInit): Promise<Response> {
  const response = await fetch(url, init)
  const wait = Number(response.headers.get('retry-after') ?? 0)
  if (!(wait > PATIENCE_S) && !Number.isNaN(wait)) return response
  const headers = new Headers(response.headers)
  headers.set('x-should-retry', 'false')
  return new Response(response.body, { status: response.status, statusText: response.statusText, headers })
}

/** The package costs 27 MB of memory: it is loaded at the first question. */
async function openClient(at: ProviderSettings, seconds: number): Promise<OpenAI> {
  const { OpenAI } = await import('openai')
  return new OpenAI({
    apiKey: at.apiKey ?? 'none',
    baseURL: at.baseUrl,
    organization: null,
    project: null,
    maxRetries: 1,
    timeout: seconds * 1000,
    logLevel: 'off',
    fetch: patientFetch,
  })
}

function responseFormat(mode: OutputMode, schemaName: string, schema: Record<string, unknown>) {
  if (mode === 'schema')
    return {
      response_format: {
        type: 'json_schema' as const,
        json_schema: { name: schemaName, strict: true, schema },
      },
    }
  return mode === 'object' ? { response_format: { type: 'json_object' as const } } : {}
}

function requestBody<T>(
  at: ProviderSettings,
  mode: OutputMode,
  req: Completion<T>,
  redact: Redact,
): ChatCompletionCreateParamsNonStreaming {
  const schema = adaptSchema(req.schema)
  const told =
    mode === 'schema'
      ? ''
      : `\n\nAnswer with one JSON object and nothing else. Its JSON Schema:\n${JSON.stringify(schema)}`
  return {
    model: at.models[0],
    messages: [
      { role: 'system', content: req.system + told },
      { role: 'user', content: redact(req.user) },
    ],
    ...(at.name === 'openai'
      ? { max_completion_tokens: MAX_ANSWER_TOKENS }
      : { max_tokens: MAX_ANSWER_TOKENS }),
    ...responseFormat(mode, req.schemaName, schema),
  }
}

/** Models wrap JSON into fences and small talk; what stands from the first brace to the last is taken. */
function parseAnswer(text: string): unknown {
  const from = text.indexOf('{')
  const to = text.lastIndexOf('}')
  try {
    return JSON.parse(from >= 0 && to > from ? text.slice(from, to + 1) : text)
  } catch {
    return undefined
  }
}

function readAnswer(completion: ChatCompletion, at: ProviderSettings, seconds: number, ms: number): Answer {
  const choice = completion.choices?.[0]
  const text = choice?.message?.content
  if (choice?.message?.refusal || choice?.finish_reason === 'content_filter')
    throw modelError('refused', at, seconds)
  if (choice?.finish_reason === 'length') throw modelError('cut', at, seconds)
  if (typeof text !== 'string') throw modelError('answer', at, seconds)
  const { prompt_tokens = 0, completion_tokens = 0 } = completion.usage ?? {}
  return { value: parseAnswer(text), text, tokens_in: prompt_tokens, tokens_out: completion_tokens, ms }
}

const nextMode: Record<OutputMode, OutputMode | null> = { schema: 'object', object: 'text', text: null }
/** Some models behind a provider know no schemas: the provider says so with 400, 404 or 422. */
const cannotShape = (error: unknown): boolean =>
  error instanceof Error &&
  [400, 404, 422].includes(Number(Reflect.get(error, 'status'))) &&
  /response_format|json_schema|structured|json mode|json_object/i.test(error.message)

async function ask<T>(
  client: OpenAI,
  at: ProviderSettings,
  mode: OutputMode,
  req: Completion<T>,
  redact: Redact,
  signal: AbortSignal,
): Promise<ChatCompletion> {
  try {
    return await client.chat.completions.create(requestBody(at, mode, req, redact), { signal })
  } catch (error) {
    const next = nextMode[mode]
    if (!next || !cannotShape(error)) throw error
    return ask(client, at, next, req, redact, signal)
  }
}

/**
 * Asks one provider's model one question. Resolves with the answer's JSON, unchecked. Throws ModelError, or the
 * reason of `req.signal` once that is aborted, which ends the request on the wire. What is sent goes through `redact`.
 * `seconds`: the time limit for all of it.
 */
export async function callModel<T>(
  at: ProviderSettings,
  req: Completion<T>,
  redact: Redact,
  seconds = LIMIT_S,
): Promise<Answer> {
  const limit = AbortSignal.timeout(seconds * 1000)
  const signal = req.signal ? AbortSignal.any([req.signal, limit]) : limit
  const started = performance.now()
  try {
    req.signal?.throwIfAborted()
    const completion = await ask(await openClient(at, seconds), at, at.output, req, redact, signal)
    return readAnswer(completion, at, seconds, Math.round(performance.now() - started))
  } catch (error) {
    req.signal?.throwIfAborted()
    throw limit.aborted ? modelError('timeout', at, seconds) : explainFault(error, at, seconds)
  }
}
