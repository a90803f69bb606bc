import type { z } from 'zod'

/** An answer other than success: its status, a stable code, and a message that says what to do. */
export class ApiError extends Error {
  readonly status: number
  readonly code: string
  readonly details: unknown
  constructor(status: number, code: string, message: string, details?: unknown) {
    super(message)
    this.status = status
    this.code = code
    this.details = details
  }
}

/** The body by its schema, or a 400 that names the first wrong fields. */
export function parseBody<T extends z.ZodType>(schema: T, body: unknown): z.output<T> {
  const parsed = schema.safeParse(body)
  if (parsed.success) return parsed.data
  const details = parsed.error.issues
    .slice(0, 10)
    .map((issue) => ({ field: issue.path.join('.'), message: issue.message }))
  throw new ApiError(400, 'INVALID', `${details[0]?.field || 'body'}: ${details[0]?.message}`, details)
}
