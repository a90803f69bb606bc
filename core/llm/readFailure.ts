import type { ModelFault, Reach } from './model.ts'

/** What a provider's refusal says, in one shape: theirs differ. */
export type Failure = {
  status: number | undefined
  /** The provider's own word for it, or the system's (ECONNREFUSED). */
  code: string
  message: string
  timedOut: boolean
  retryAfterMs: number | null
}

export const nothingKnown: Failure = {
  status: undefined,
  code: '',
  message: '',
  timedOut: false,
  retryAfterMs: null,
}

const textOf = (value: unknown): string =>
  typeof value === 'string' ? value : typeof value === 'number' ? String(value) : ''
export const fieldOf = (value: unknown, field: string): unknown =>
  typeof value === 'object' && value !== null ? Reflect.get(value, field) : undefined

/** The innermost cause that names itself by a code (ECONNREFUSED, ENOTFOUND, ...). */
function causeCode(error: unknown, depth = 0): string {
  if (depth > 5 || typeof error !== 'object' || error === null) return ''
  return causeCode(fieldOf(error, 'cause'), depth + 1) || textOf(fieldOf(error, 'code'))
}

const MAX_WAIT_MS = 24 * 3_600_000

/**
 * How long a provider asks to be left alone, in milliseconds: `retry-after` in seconds or as a date, `retry-after-ms`
 * (OpenAI), `RetryInfo` in the error's details (Gemini), the reset time among its headers (OpenRouter), or the sentence
 * "try again in 7m12.5s" (Groq, OpenAI). Null when it says nothing. Pure.
 */
export function retryAfter(headers: Headers | undefined, error: unknown, now: number): number | null {
  const found = fromHeaders(headers, now) ?? fromDetails(error) ?? fromReset(error, now) ?? fromWords(error)
  return found === null || Number.isNaN(found) ? null : Math.min(Math.max(0, Math.round(found)), MAX_WAIT_MS)
}

function fromHeaders(headers: Headers | undefined, now: number): number | null {
  const ms = headers?.get('retry-after-ms')
  if (ms && Number(ms) >= 0) return Number(ms)
  const after = headers?.get('retry-after')
  if (!after) return null
  return Number.isNaN(Number(after)) ? Date.parse(after) - now : Number(after) * 1000
}

function fromDetails(error: unknown): number | null {
  const details = fieldOf(error, 'details')
  if (!Array.isArray(details)) return null
  const delay = details.map((detail) => textOf(fieldOf(detail, 'retryDelay'))).find((text) => text !== '')
  return delay ? seconds(delay) : null
}

function fromReset(error: unknown, now: number): number | null {
  const headers = fieldOf(fieldOf(error, 'metadata'), 'headers')
  const reset = Number(textOf(fieldOf(headers, 'X-RateLimit-Reset')))
  return reset > 0 ? reset - now : null
}

const fromWords = (error: unknown): number | null => {
  const found = /(?:try again|retry) (?:in|after) ((?:\d+h)?(?:\d+m(?!s))?(?:[\d.]+(?:ms|s))?)/i.exec(
    textOf(fieldOf(error, 'message')),
  )
  return found?.[1] ? seconds(found[1]) : null
}

/** `7m12.5s`, `37s`, `120ms` in milliseconds; null when it is none of these. */
function seconds(text: string): number | null {
  const [, h = 0, m = 0, s = 0, ms = 0] =
    /^(?:(\d+)h)?(?:(\d+)m(?!s))?(?:([\d.]+)s)?(?:([\d.]+)ms)?$/.exec(text) ?? []
  const total = Number(h) * 3_600_000 + Number(m) * 60_000 + Number(s) * 1000 + Number(ms)
  return total > 0 ? total : null
}

/** The error inside a body; Gemini wraps it into an array, OpenRouter has the upstream's own words in `metadata.raw`. */
export const errorIn = (body: unknown): unknown => fieldOf(Array.isArray(body) ? body[0] : body, 'error')

function messageIn(error: unknown): string {
  const message = textOf(fieldOf(error, 'message')) || textOf(error)
  const raw = textOf(fieldOf(fieldOf(error, 'metadata'), 'raw'))
  return raw ? `${message}: ${raw}` : message
}

/** Which quotas were exceeded, by Gemini's names for them: `GenerateRequestsPerDayPerProjectPerModel`. */
function quotasIn(error: unknown): unknown[] {
  const details = fieldOf(error, 'details')
  const violations = Array.isArray(details)
    ? details.flatMap((detail) => fieldOf(detail, 'violations') ?? [])
    : []
  return violations.map((violation) => fieldOf(violation, 'quotaId'))
}

/** A refusal by its HTTP status, headers and parsed body. Pure. */
export function failureOf(status: number, headers: Headers | undefined, body: unknown, now: number): Failure {
  const error = errorIn(body)
  const inner = Number(fieldOf(error, 'code'))
  return {
    // A stream, or an answer with status 200, may hold an error with a status of its own.
    status: status >= 400 ? status : inner >= 400 && inner < 600 ? inner : 502,
    code: [fieldOf(error, 'code'), fieldOf(error, 'status'), fieldOf(error, 'type'), ...quotasIn(error)]
      .map(textOf)
      .filter((word) => word !== '' && Number.isNaN(Number(word)))
      .join(' '),
    message: messageIn(error),
    timedOut: false,
    retryAfterMs: retryAfter(headers, error, now),
  }
}

/** What the client threw: a refusal with its body, a connection that broke, a limit of ours. Pure. */
export function readFailure(error: unknown, now = Date.now()): Failure {
  const status = fieldOf(error, 'status')
  const headers = fieldOf(error, 'headers')
  const known = headers instanceof Headers ? headers : undefined
  const body = fieldOf(error, 'error')
  if (typeof status === 'number' || errorIn({ error: body }) !== undefined) {
    const failure = failureOf(typeof status === 'number' ? status : 200, known, { error: body }, now)
    return { ...failure, message: failure.message || textOf(fieldOf(error, 'message')) }
  }
  const name = textOf(fieldOf(fieldOf(error, 'constructor'), 'name'))
  return {
    ...nothingKnown,
    code: causeCode(error),
    message: textOf(fieldOf(error, 'message')),
    timedOut: name === 'APIConnectionTimeoutError' || textOf(fieldOf(error, 'name')) === 'TimeoutError',
  }
}

const outOfQuota = /quota|credit|billing|insufficient|balance|free-models-per-day|per day|\bRPD\b|\bTPD\b/i
const rateWords = /per.?min|\bRPM\b|\bTPM\b|rate.?limit|too many requests|resource (has been )?exhausted/i
const aboutShape = /response_format|json_schema|structured|json mode|json_object|response format/i
const badJson = /json_validate_failed|failed to (validate|generate) json/i
const tooLong = /context.?length|too (long|large)|maximum context|reduce the length|context window/i

/** Gemini and OpenAI say "quota" of a limit a minute as well: only what lasts is a quota. */
const isQuota = ({ message, code, retryAfterMs }: Failure): boolean => {
  const said = `${code} ${message}`
  if (/insufficient_quota|free-models-per-day|PerDay/i.test(said)) return true
  if (retryAfterMs !== null) return retryAfterMs > 600_000
  return outOfQuota.test(said) && !rateWords.test(said)
}

/** What a failure means to us. Pure. */
export function faultOf(failure: Failure): ModelFault {
  const { status, message, timedOut, code } = failure
  if (timedOut) return 'timeout'
  if (status === undefined) return 'unreachable'
  if (status === 402) return 'quota'
  if (status === 429) return isQuota(failure) ? 'quota' : 'rate'
  if (status === 401) return 'key'
  if (status === 403) return /moderation|flagged|guardrail|policy/i.test(message) ? 'refused' : 'key'
  if (status === 408) return 'timeout'
  if (status === 529) return 'server'
  if ([400, 404, 422].includes(status)) {
    if (badJson.test(`${code} ${message}`)) return 'answer'
    if (aboutShape.test(message)) return 'schema'
  }
  if (status === 404) return 'unknown_model'
  if (status === 400 && /credit balance|insufficient (balance|credit|quota)/i.test(message)) return 'quota'
  if (status >= 500) return 'server'
  if (/api[ _-]?key/i.test(message)) return 'key'
  if (status === 413 || tooLong.test(`${code} ${message}`)) return 'request'
  return /model/i.test(message) &&
    /not (found|exist|supported)|unknown|invalid model|not a valid model|decommissioned/i.test(message)
    ? 'unknown_model'
    : 'request'
}

/** Whom a fault concerns. OpenRouter counts its free models together and apart from the paid ones. Pure. */
export function reachOf(fault: ModelFault, failure: Failure, provider: string): Reach {
  if (fault === 'key' || fault === 'unreachable') return 'provider'
  if (fault !== 'quota') return 'model'
  if (provider !== 'openrouter') return 'provider'
  return /free-models-per/i.test(failure.message) ? 'free models' : 'provider'
}
