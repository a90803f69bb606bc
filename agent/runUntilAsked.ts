import { type Logger, messageOf } from '../core/config/logger.ts'
import { type AgentOptions, type RunningAgent, STOP_GRACE_MS, startAgent } from './startAgent.ts'

/** Until work that ignores TERM is killed as well. */
const WORK_ENDS_S = STOP_GRACE_MS / 1000 + 2

/**
 * Runs an agent until this process is asked to end: SIGTERM, SIGINT, or (where it is told to) the end of its standard
 * input. Starts over when its directory joins as another agent. Resolves once it has started.
 */
export async function runUntilAsked(options: AgentOptions): Promise<void> {
  const { config, log } = options
  let agent: RunningAgent | null = null
  let turning: Promise<void> = Promise.resolve()
  const begin = async (): Promise<void> => {
    agent = await startAgent({ ...options, onReplaced: startOver })
  }
  const startOver = (): void => {
    log.info('this machine has joined anew: starting over as that agent')
    turning = turning
      .then(() => agent?.stop(0))
      .then(begin)
      .catch((error) => {
        log.error(`it cannot start over: ${messageOf(error)}`)
        process.exit(1)
      })
  }
  await begin()
  const end = ending(log, {
    stop: async (graceMs) => agent?.stop(graceMs),
    running: () => agent?.running() ?? 0,
  })
  process.on('SIGTERM', () => end('SIGTERM', STOP_GRACE_MS))
  process.on('SIGINT', () => end('Ctrl+C', STOP_GRACE_MS))
  if (!config.endWithStdin) return
  process.stdin.on('end', () => end('the parent is gone', 0))
  process.stdin.on('error', () => end('the parent is gone', 0))
  process.stdin.resume()
}

type Work = { stop(graceMs: number): Promise<void>; running(): number }

/** Ends the process in order when it is asked the first time, at once the second: attempts die with it. */
function ending(log: Logger, { stop, running }: Work): (why: string, graceMs: number) => void {
  let isEnding = false
  return (why, graceMs) => {
    if (isEnding) return process.exit(0)
    isEnding = true
    log.info(`stopping: ${why}`)
    if (graceMs > 0 && running() > 0) log.warn(waitingLine(running()))
    stop(graceMs).then(
      () => process.exit(0),
      () => process.exit(1),
    )
  }
}

/** Pure. */
const waitingLine = (count: number): string =>
  `${count === 1 ? '1 command is' : `${count} commands are`} still running: ${count === 1 ? 'it gets' : 'they get'} ${WORK_ENDS_S} s to end; Ctrl+C again stops at once`

/** Ends the process, with a line that says why, at an error nobody expected. */
export function endOnUncaught(log: Logger): void {
  const end = (error: unknown) => {
    log.error('ending after an error nobody expected', {
      error: messageOf(error),
      stack: error instanceof Error ? error.stack : undefined,
    })
    process.exitCode = 1
    setTimeout(() => process.exit(1), 50)
  }
  process.on('uncaughtException', end)
  process.on('unhandledRejection', end)
}
