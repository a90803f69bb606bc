import { messageOf } from '../core/config/logger.ts'

/** Errors whose message is written for a person: what is wrong, and what to do. */
const forPeople = new Set([
  'ConfigError',
  'PolicyError',
  'PlaybookError',
  'MigrationError',
  'EmbeddedPostgresError',
  'QueueBackendError',
  'UsageError',
])

/** The command cannot be done as asked: one line that says what to do instead. */
export class UsageError extends Error {
  override name = 'UsageError'
}

/**
 * What a command that failed says, and its exit code: one line and 2 for what a person can mend by settings or
 * arguments, one line and 1 for the rest; the stack of the rest only with SKYNET_LOG_LEVEL=debug. Pure.
 */
export function explainError(error: unknown, level: string | undefined): { text: string; code: 1 | 2 } {
  const line = `skynet: ${firstReason(error).replace(/\s*\n\s*/g, ' ')}`
  if (error instanceof Error && forPeople.has(error.name)) return { text: line, code: 2 }
  if (level === 'debug' && error instanceof Error) return { text: `${line}\n${error.stack}`, code: 1 }
  return { text: `${line} (SKYNET_LOG_LEVEL=debug shows where)`, code: 1 }
}

/** An AggregateError (a connection tried at several addresses) has no message of its own. */
const firstReason = (error: unknown): string =>
  error instanceof AggregateError && error.message === '' ? messageOf(error.errors[0]) : messageOf(error)
