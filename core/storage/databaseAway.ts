/** Of the operating system: nobody listens, or the connection broke. */
const broken = [
  'ECONNREFUSED',
  'ECONNRESET',
  'EPIPE',
  'ETIMEDOUT',
  'ENOENT',
  'ENOTFOUND',
  'EAI_AGAIN',
  'EHOSTUNREACH',
  'ENETUNREACH',
]
/** Of pg itself, which gives these no code. */
const lost =
  /^(?:timeout exceeded when trying to connect|Connection terminated|Query read timeout|Client has encountered a connection error|Client was closed|Cannot use a pool after calling end)/

/**
 * Whether an error says that the database does not answer at present (stopped, starting, unreachable, out of
 * connections), so that the same may work later. Any other error is a fault.
 */
export function isDatabaseAway(error: unknown): boolean {
  if (!(error instanceof Error)) return false
  const code = 'code' in error && typeof error.code === 'string' ? error.code : ''
  // Class 08: connection; 57P: shutdown, crash, starting; 53300: too many connections; 25P03: silent for too long.
  if (/^(?:08...|57P0[1-5]|53300|25P03)$/.test(code) || broken.includes(code)) return true
  if (error instanceof AggregateError && error.errors.length > 0) return error.errors.every(isDatabaseAway)
  return lost.test(error.message) || (error.cause !== undefined && isDatabaseAway(error.cause))
}
