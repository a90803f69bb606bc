import { flushCompileCache } from 'node:module'

/** Not while the first request may come in. */
const QUIET_AFTER_MS = 5000

/** Writes the compiled code down while all is quiet: it helps the next start even when this process is killed. */
export function flushCodeCache(): void {
  setTimeout(flushCompileCache, QUIET_AFTER_MS).unref()
}
