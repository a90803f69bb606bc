import { describe, expect, test } from 'vitest'
import { faultOf, readFailure, retryAfter } from '../../../core/llm/readFailure.ts'

const NOW = Date.parse('2026-11-21T12:00:00Z')
const headers = (given: Record<string, string>) => new Headers(given)

describe('how long a provider asks to be left alone', () => {
  test.each<[string, Record<string, string>, unknown, number | null]>([
    ['seconds', { 'retry-after': '40' }, {}, 40_000],
    ['a part of a second', { 'retry-after': '0.5' }, {}, 500],
    ['a date', { 'retry-after': 'Sat, 21 Nov 2026 12:01:00 GMT' }, {}, 60_000],
    ['a date that has passed', { 'retry-after': 'Sat, 21 Nov 2026 11:00:00 GMT' }, {}, 0],
    ['milliseconds, sooner than seconds', { 'retry-after-ms': '120', 'retry-after': '1' }, {}, 120],
    ['more than a day', { 'retry-after': '9999999' }, {}, 86_400_000],
    ['nonsense', { 'retry-after': 'soon' }, {}, null],
    ['less than nothing', { 'retry-after': '-5' }, {}, 0],
    ["Gemini's details", {}, { details: [{ '@type': 'x' }, { retryDelay: '37s' }] }, 37_000],
    ["Gemini's details, with a point", {}, { details: [{ retryDelay: '13.543s' }] }, 13_543],
    ["OpenRouter's reset", {}, { metadata: { headers: { 'X-RateLimit-Reset': String(NOW + 5000) } } }, 5000],
    ['words', {}, { message: 'Please try again in 7m12.5s. Visit us.' }, 432_500],
    ['words with hours', {}, { message: 'Please try again in 1h2m3s.' }, 3_723_000],
    ['words with milliseconds', {}, { message: 'try again in 120ms' }, 120],
    ['words without a time', {}, { message: 'Please try again in a while' }, null],
    ['nothing', {}, undefined, null],
  ])('%s', (_, given, error, expected) => expect(retryAfter(headers(given), error, NOW)).toBe(expected))
})

describe('what a failure means', () => {
  const refused = (status: number, message: string, more: object = {}) =>
    faultOf(readFailure({ status, message, error: { message, ...more }, headers: headers({}) }, NOW))

  test.each<[number, string, string]>([
    [400, 'API key not valid. Please pass a valid API key.', 'key'],
    [403, 'Your input was flagged by moderation', 'refused'],
    [403, 'Country, region, or territory not supported', 'key'],
    [402, 'Insufficient credits', 'quota'],
    [429, 'You exceeded your current quota, please check your plan', 'quota'],
    [429, 'Rate limit reached on tokens per minute (TPM)', 'rate'],
    [429, 'Rate limit exceeded: free-models-per-day. Add 10 credits', 'quota'],
    [408, 'Request timed out', 'timeout'],
    [413, 'Request Entity Too Large', 'request'],
    [400, "This model's maximum context length is 8192 tokens", 'request'],
    [400, 'The model `x` has been decommissioned', 'unknown_model'],
    [404, 'No endpoints found that support response_format', 'schema'],
    [422, 'json_schema is not supported', 'schema'],
    [500, 'boom', 'server'],
    [529, 'Overloaded', 'server'],
    [418, 'I am a teapot', 'request'],
  ])('%d %s', (status, message, fault) => expect(refused(status, message)).toBe(fault))

  test('OpenAI says by its code what it does not say by its status', () => {
    expect(refused(429, 'slow down', { code: 'insufficient_quota' })).toBe('quota')
    expect(refused(429, 'slow down', { code: 'rate_limit_exceeded' })).toBe('rate')
  })

  test('an error inside an answer has a status of its own', () => {
    const inner = readFailure({ error: { code: 429, message: 'Provider returned error' } }, NOW)
    expect([inner.status, faultOf(inner)]).toEqual([429, 'rate'])
    expect(faultOf(readFailure({ error: { code: 'server_error', message: 'x' } }, NOW))).toBe('server')
  })

  test('the words of the provider behind OpenRouter are kept', () => {
    const error = { message: 'Provider returned error', code: 429, metadata: { raw: 'slow down, please' } }
    expect(readFailure({ status: 429, error, headers: headers({}) }, NOW).message).toBe(
      'Provider returned error: slow down, please',
    )
  })

  test('a connection names its cause', () => {
    const failure = readFailure(
      { message: 'Connection error.', cause: { cause: { code: 'ECONNREFUSED' } } },
      NOW,
    )
    expect([faultOf(failure), failure.code]).toEqual(['unreachable', 'ECONNREFUSED'])
  })
})
