import { setTimeout as delay } from 'node:timers/promises'
import { z } from 'zod'

const LOOK_MS = 40

const Health = z.object({ status: z.string(), parts: z.record(z.string(), z.string()) })

/** What is not well yet, by the API's own health page: `gateway: none is connected`. Empty when all is. */
export async function readHealth(apiUrl: string): Promise<string[]> {
  try {
    const answer = await fetch(`${apiUrl}/v1/health`, { signal: AbortSignal.timeout(2000) })
    const { status, parts } = Health.parse(await answer.json())
    const unwell = Object.entries(parts).filter(([, state]) => state !== 'ok')
    return answer.ok ? [] : unwell.length > 0 ? unwell.map(([name, state]) => `${name}: ${state}`) : [status]
  } catch {
    return ['api: does not answer']
  }
}

/**
 * Waits until every part answers, `ms` at most, and not for a bot that is known to be in trouble. Returns what does
 * not answer.
 */
export async function waitUntilHealthy(
  apiUrl: string,
  ms: number,
  botInTrouble: () => boolean = () => false,
): Promise<string[]> {
  for (const deadline = performance.now() + ms; ; ) {
    const missing = await readHealth(apiUrl)
    const awaited = missing.filter((line) => !(line.startsWith('bot:') && botInTrouble()))
    if (awaited.length === 0 || performance.now() > deadline) return missing
    await delay(LOOK_MS)
  }
}
