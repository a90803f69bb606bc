import { setTimeout as delay } from 'node:timers/promises'
import type { Env } from '../core/config/settings.ts'
import { banner, userName } from './banner.ts'
import { endProperly } from './endProperly.ts'
import { flushCodeCache } from './flushCodeCache.ts'
import { start } from './start.ts'
import { warnOfStrangeSettings } from './strangeSettings.ts'
import { waitUntilHealthy } from './watchHealth.ts'

const HEALTHY_WITHIN_MS = 20_000
/** Gateway and agent have lines of their own about what has just become well: they come first. */
const SETTLE_MS = 200

/** `skynet start` as a command: starts, says where it is to be found, and ends by signal. */
export async function startCommand(env: Env): Promise<void> {
  warnOfStrangeSettings(env)
  const running = await start(env)
  const isEnding = endProperly(running, (line) => console.error(line))
  const { botTrouble } = running
  const missing = await waitUntilHealthy(running.urls.api, HEALTHY_WITHIN_MS, () => botTrouble() !== null)
  const ready = `${(performance.now() / 1000).toFixed(1)} s`
  await delay(SETTLE_MS)
  if (isEnding()) return
  console.log(banner({ ...running, ready, missing, botTrouble: botTrouble() }, env, userName()))
  flushCodeCache()
}
