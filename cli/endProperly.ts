import { readFileSync } from 'node:fs'
import { messageOf } from '../core/config/logger.ts'

/** npm passes a signal of the terminal on to a process that got it from the terminal already. */
const ECHO_MS = 400
const LOOK_MS = 500
/** Whatever does not end in order is ended by then. */
const DEADLINE_MS = 9800

export type Ending = {
  /** Ends everything in order. */
  stop(): Promise<void>
  /** Ends at once what would not end by itself with this process. */
  kill?(): void
}

/**
 * Ends this process: in order and within 10 s at the first SIGTERM or SIGINT, at once at the second; in order as well when its parent
 * is gone, where it has one that it belongs to (npm, or a standard input held open with SKYNET_PARENT_STDIN=1).
 * Returns what tells whether it is ending.
 */
export function endProperly({ stop, kill }: Ending, tell: (line: string) => void): () => boolean {
  let asked: number | null = null
  const end = (why: string): void => {
    if (asked !== null) {
      if (isUnderNpm() && performance.now() - asked < ECHO_MS) return
      kill?.()
      process.exit(1)
    }
    asked = performance.now()
    tell(`${why}: stopping. Once more stops at once.`)
    const giveUp = (reason: string): void => {
      tell(`stopping: ${reason}`)
      kill?.()
      process.exit(1)
    }
    setTimeout(() => giveUp('it took 10 s, and ends at once now'), DEADLINE_MS)
    stop().then(
      () => process.exit(0),
      (error) => giveUp(messageOf(error)),
    )
  }
  process.on('SIGTERM', () => end('SIGTERM'))
  process.on('SIGINT', () => end('Ctrl+C'))
  const endOnce = (): void => {
    if (asked === null) end('the parent is gone')
  }
  if (process.env.SKYNET_PARENT_STDIN === '1') watchStdin(endOnce)
  if (isUnderNpm()) watchParent(endOnce)
  return () => asked !== null
}

const isUnderNpm = (): boolean => process.env.npm_lifecycle_event !== undefined

function watchStdin(gone: () => void): void {
  process.stdin.on('end', gone).on('error', gone)
  process.stdin.resume()
}

/** A process whose parent dies gets another one. Between npm and this process there may be a shell: then its parent counts. */
function watchParent(gone: () => void): void {
  const before = ancestors()
  const timer = setInterval(() => {
    if (ancestors() === before) return
    clearInterval(timer)
    gone()
  }, LOOK_MS).unref()
}

/** Parent and, where the kernel tells, grandparent. */
function ancestors(): string {
  const { ppid } = process
  try {
    return `${ppid} ${/^PPid:\s+(\d+)$/m.exec(readFileSync(`/proc/${ppid}/status`, 'utf8'))?.[1]}`
  } catch {
    return String(ppid)
  }
}
