import type { z } from 'zod'
import { isDatabaseAway } from '../core/storage/databaseAway.ts'

/** An answer other than success: its status, a stable code, and a message that says what to do. */
export class ApiError extends Error {
  readonly status: number
  readonly code: string
  readonly details: unknown
  /** Seconds after which to try again. */
  retryAfterS?: number
  constructor(status: number, code: string, message: string, details?: unknown) {
    super(message)
    this.status = status
    this.code = code
    this.details = details
  }
}

/** 429 with the time after which the next request is taken. */
export function tooMany(waitMs: number, message: string): ApiError {
  const error = new ApiError(429, 'TOO_MANY', message)
  error.retryAfterS = Math.max(1, Math.ceil(waitMs / 1000))
  return error
}

/** 503: what is needed does not answer now. */
export function unavailable(message: string): ApiError {
  const error = new ApiError(503, 'UNAVAILABLE', message)
  error.retryAfterS = 2
  return error
}

/** Of a choice that nothing fits, the issues of the form that is nearest: the one with the fewest. */
function nearest(issue: z.core.$ZodIssue): z.core.$ZodIssue[] {
  if (issue.code !== 'invalid_union') return [issue]
  const [closest = []] = [...issue.errors].sort((a, b) => a.length - b.length)
  return closest.length === 0
    ? [issue]
    : closest.map((inner) => ({ ...inner, path: [...issue.path, ...inner.path] })).flatMap(nearest)
}

/** One part of a request by its schema, or a 400 that names the first wrong fields. */
export function parsePart<T extends z.ZodType>(part: string, schema: T, value: unknown): z.output<T> {
  const parsed = schema.safeParse(value)
  if (parsed.success) return parsed.data
  const details = parsed.error.issues
    .flatMap(nearest)
    .slice(0, 10)
    .map((issue) => ({ field: issue.path.map(String).join('.') || part, message: issue.message }))
  throw new ApiError(400, 'INVALID', `${details[0]?.field}: ${details[0]?.message}`, details)
}

/** What is answered for anything that was thrown. What is not known becomes a 500 that says nothing. */
export function errorFor(error: unknown): ApiError {
  if (error instanceof ApiError) return error
  if (isDatabaseAway(error)) return unavailable('The database does not answer. Nothing is lost; try again.')
  const { statusCode = 500, code = '', message } = error as Error & { statusCode?: number; code?: string }
  if (code === 'FST_ERR_CTP_BODY_TOO_LARGE')
    return new ApiError(413, 'TOO_LARGE', 'The body is larger than 8 MB; send less.')
  if (code === 'FST_ERR_CTP_INVALID_MEDIA_TYPE')
    return new ApiError(415, 'NOT_JSON', 'Send JSON, with the header content-type: application/json.')
  if (code === 'FST_ERR_CTP_INVALID_JSON_BODY' || error instanceof SyntaxError)
    return new ApiError(400, 'INVALID', 'The body is not valid JSON.')
  if (statusCode === 414) return new ApiError(400, 'INVALID', 'A part of this address is too long.')
  if (statusCode >= 400 && statusCode < 500) return new ApiError(statusCode, 'INVALID', message)
  return new ApiError(500, 'INTERNAL', 'Something went wrong here; the log has the details.')
}

/** The body of every answer but success. */
export const errorBody = ({ code, message, details }: ApiError): object => ({
  error: { code, message, ...(details === undefined ? {} : { details }) },
})
