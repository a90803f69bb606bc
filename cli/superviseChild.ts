import { type ChildProcess, spawn } from 'node:child_process'
import { join } from 'node:path'
import type { Logger } from '../core/config/logger.ts'
import type { Env } from '../core/config/settings.ts'
import { codeCache } from './codeCache.ts'

const MIN_BACKOFF_MS = 250
const MAX_BACKOFF_MS = 15_000
/** A child that lived this long starts afresh at the shortest wait. */
const SETTLED_MS = 30_000

const nodeFlags = ['--max-semi-space-size=2', '--optimize-for-size', '--disable-warning=ExperimentalWarning']

export type Supervised = { pid(): number | undefined; stop(graceMs: number): Promise<void>; kill(): void }

/**
 * Keeps a part of SKYNET running as a process of its own: started with its standard input held open (it ends when
 * that closes, so it never outlives this process, kill -9 included) and started again with a growing wait when it
 * dies.
 */
export function superviseChild(log: Logger, part: 'gateway' | 'agent', env: Env): Supervised {
  let child: ChildProcess | null = null
  let timer: NodeJS.Timeout | null = null
  let stopped = false
  let wait = MIN_BACKOFF_MS
  const start = (): void => {
    const began = Date.now()
    const current = launch(part, env)
    child = current
    current.stdin?.on('error', () => {})
    current.on('error', (error) => log.error(`${part}: ${error.message}`))
    current.once('exit', (code, signal) => {
      child = null
      if (stopped) return
      wait = Date.now() - began > SETTLED_MS ? MIN_BACKOFF_MS : Math.min(MAX_BACKOFF_MS, wait * 2)
      log.warn(`${part} ended (${signal ?? code}); starting it again in ${wait} ms`)
      timer = setTimeout(start, wait)
    })
  }
  start()
  return {
    pid: () => child?.pid,
    kill: () => {
      stopped = true
      if (timer) clearTimeout(timer)
      child?.kill('SIGKILL')
    },
    stop: async (graceMs) => {
      stopped = true
      if (timer) clearTimeout(timer)
      const current = child
      if (!current) return
      const gone = new Promise<void>((resolve) => current.once('exit', () => resolve()))
      current.kill('SIGTERM')
      const late = setTimeout(() => current.kill('SIGKILL'), graceMs)
      await gone
      clearTimeout(late)
    },
  }
}

/** In a session of its own: Ctrl+C in a terminal reaches the parent alone, which then stops its children in order. */
const launch = (part: 'gateway' | 'agent', env: Env): ChildProcess =>
  spawn(process.execPath, [...nodeFlags, join(import.meta.dirname, `../${part}/main.ts`)], {
    stdio: ['pipe', 'inherit', 'inherit'],
    detached: process.platform !== 'win32',
    env: { NODE_COMPILE_CACHE: codeCache, ...(env as NodeJS.ProcessEnv), SKYNET_PARENT_STDIN: '1' },
  })
