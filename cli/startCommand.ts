import type { Env } from '../core/config/settings.ts'
import { banner, userName } from './banner.ts'
import { endProperly } from './endProperly.ts'
import { flushCodeCache } from './flushCodeCache.ts'
import { start } from './start.ts'
import { waitUntilHealthy } from './watchHealth.ts'

const HEALTHY_WITHIN_MS = 20_000

/** `skynet start` as a command: starts, says where it is to be found, and ends by signal. */
export async function startCommand(env: Env): Promise<void> {
  const running = await start(env)
  const isEnding = endProperly(running, (line) => console.error(line))
  const missing = await waitUntilHealthy(running.urls.api, HEALTHY_WITHIN_MS)
  if (isEnding()) return
  const ready = `${(performance.now() / 1000).toFixed(1)} s`
  console.log(banner({ ...running, ready, missing }, env, userName()))
  flushCodeCache()
}
