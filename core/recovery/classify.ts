import type { Effect } from '../actions/catalogue.ts'

/**
 * What kind of failure it was, as far as rules can tell: `not_started`: its agent refused it for a passing reason, or
 * nothing could be started; `denied`: policy, the agent's own checks or a revoked machine say no; `timeout`: its time
 * limit ended it; `unknown_end`: nobody knows how far it came; `checks`: tests ran and some fail.
 */
export const failureClasses = [
  'not_started',
  'denied',
  'timeout',
  'unknown_end',
  'memory',
  'space',
  'permission',
  'missing_tool',
  'missing_packages',
  'checks',
  'network',
  'busy',
  'other',
] as const
export type FailureClass = (typeof failureClasses)[number]

/** A failed task, as the ledger knows it. */
export type Failure = {
  status: 'failed' | 'failed_timeout'
  /** Of its error. */
  code: string | null
  message: string
  exitCode: number | null
  signal: string | null
  effect: Effect
  /** Its last attempt was refused by its agent. */
  refused: boolean
  /** The end of what it printed. */
  said: string
}

/** Refusals that say nothing against the task, and after which nothing of it has begun. */
const passing = new Set(['busy', 'stopping', 'journal', 'grant_expired', 'file_alias'])
const denials = new Set(['POLICY_DENIED', 'machine_revoked'])
/** Ends of which nobody has seen the middle: what was done is not known. */
const unseen = new Set(['lost', 'unheard', 'lapsed', 'unreachable'])

/** Words by which programs tell why, the surest first. Each is tried on single lines, so none can run away. */
const patterns: readonly [FailureClass, RegExp][] = [
  ['space', /\bENOSPC\b|no space left on device|disk quota exceeded/i],
  ['memory', /heap out of memory|cannot allocate memory|\bMemoryError\b|out of memory|\bOOM-?kill/i],
  [
    'missing_packages',
    /\bCannot find (?:module|package) '|\bERR_MODULE_NOT_FOUND\b|\bModuleNotFoundError\b|\bNo module named\b|node_modules.{0,40}(?:missing|not found)|\bno required module provides package\b|\bcould not find gem\b|can't find crate for|Unable to resolve dependency|\brun [`'"]?(?:npm|pnpm|yarn) (?:install|ci)\b/i,
  ],
  [
    'missing_tool',
    /command not found|\b(?:sh|bash|dash): (?:line )?\d*:? ?[\w./-]+: not found|is not recognized as an internal|is not on this machine's PATH|could not be started:.*\bENOENT\b|no tests found in /i,
  ],
  [
    'network',
    /\b(?:ECONNRESET|ECONNREFUSED|ETIMEDOUT|ENOTFOUND|EAI_AGAIN|ENETUNREACH|EHOSTUNREACH)\b|could not resolve host|temporary failure in name resolution|connection (?:timed out|reset|refused)|network is unreachable|TLS handshake timeout|unexpected disconnect|the remote end hung up|\b(?:429 Too Many Requests|502 Bad Gateway|503 Service Unavailable|504 Gateway Time-?out)\b/i,
  ],
  [
    'busy',
    /index\.lock'?: File exists|another git process|could not get lock|resource temporarily unavailable|database is locked|\b(?:EBUSY|ETXTBSY|EAGAIN)\b|waiting for file lock/i,
  ],
  ['permission', /\b(?:EACCES|EPERM)\b|permission denied|operation not permitted|read-only file system/i],
]

/** Lines from the end that tell why a program ended; older ones may tell of troubles that it got over. */
const LAST_LINES = 60
const MAX_LINE = 1000

/** The kind of a failure. Its output was written by nobody here: it only chooses among what is safe anyway. Pure. */
export function classify(failure: Failure, isCheck: (said: string) => boolean): FailureClass {
  const { code, message, exitCode, signal } = failure
  if (code !== null && denials.has(code)) return 'denied'
  if (failure.refused) return code !== null && passing.has(code) ? 'not_started' : 'denied'
  if (code !== null && unseen.has(code)) return 'unknown_end'
  if (failure.status === 'failed_timeout') return 'timeout'
  if (/^it could not be started: .*\b(?:EAGAIN|ENOMEM|EMFILE|ENFILE|ETXTBSY)\b/.test(message))
    return 'not_started'
  const told = classOf(`${failure.said}\n${message}`)
  if (told !== null && told !== 'permission') return told
  if (exitCode === 127) return 'missing_tool'
  if (signal === 'SIGKILL' || exitCode === 137) return 'memory'
  if (isCheck(failure.said)) return 'checks'
  return told ?? 'other'
}

/** What kind of failure the end of a text tells of by its words; null where they tell of none. Pure. */
export function classOf(text: string): FailureClass | null {
  const lines = text.slice(-LAST_LINES * MAX_LINE).split('\n')
  const last = lines.slice(-LAST_LINES).map((line) => line.slice(0, MAX_LINE))
  return patterns.find(([, pattern]) => last.some((line) => pattern.test(line)))?.[0] ?? null
}
