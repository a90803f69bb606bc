import { setTimeout as delay } from 'node:timers/promises'
import { messageOf } from '../core/config/logger.ts'
import { connectTelegram } from './connectTelegram.ts'
import type { Control } from './openControl.ts'

/** What a part that is asked to stop gets: a plan that waits for a model is planned again after the next start. */
const PART_STOP_MS = 6000

export type Parts = { bot: boolean; api: boolean; workers: boolean }
export type RunningParts = {
  apiUrl: string | null
  pageUrl: string | null
  /** Why the bot does not serve; null when it does, or begins to. */
  botTrouble(): string | null
  /** Starts no more work; the rest goes on. */
  stopWorkers(): Promise<void>
  stop(): Promise<void>
}
type Part = { name: string; stop(): Promise<void> }
type BotPart = { ready(): boolean; trouble(): string | null; page: string | null }

/**
 * Starts parts of the control plane in this process, each loaded only when it is asked for. `gatewayUrl`: where an
 * agent of another machine would join. `stop` ends them in the opposite order.
 */
export async function startParts(control: Control, gatewayUrl: string, wanted: Parts): Promise<RunningParts> {
  const started: Part[] = []
  const stop = () => stopAll(control, started.splice(0))
  const stopWorkers = () => stopAll(control, takeOut(started, 'workers'))
  let bot: BotPart | null = null
  try {
    // First, since the gateway comes up meanwhile and asks for it.
    const apiUrl = wanted.api ? await startApiPart(control, () => bot?.ready() ?? !wanted.bot, started) : null
    if (wanted.bot) bot = await startBotPart(control, gatewayUrl, started)
    if (wanted.workers) {
      const { startWorkers } = await import('../workers/main.ts')
      started.push({ name: 'workers', stop: startWorkers(control.deps, control.queue).stop })
    }
    const botTrouble = () => (bot && !bot.ready() ? bot.trouble() : null)
    return { apiUrl, pageUrl: bot?.page ?? null, botTrouble, stopWorkers, stop }
  } catch (error) {
    await stop()
    throw error
  }
}

async function startBotPart(control: Control, gatewayUrl: string, started: Part[]): Promise<BotPart> {
  const { startBot } = await import('../bot/main.ts')
  const { connection, ownerIds, page, stop } = await connectTelegram(control)
  started.push({ name: 'playground', stop })
  const bot = startBot({ ...control.deps, ownerIds, redact: control.redact, gatewayUrl }, connection)
  started.push({ name: 'bot', stop: bot.stop })
  return { ready: bot.ready, trouble: bot.trouble, page }
}

async function startApiPart(control: Control, botReady: () => boolean, started: Part[]): Promise<string> {
  const { startApi } = await import('../api/main.ts')
  const { deps, controlKey, config, providers } = control
  const api = await startApi({ ...deps, controlKey, botReady, providers }, config.http)
  started.push({ name: 'api', stop: api.stop })
  return api.url
}

function takeOut(started: Part[], name: string): Part[] {
  const at = started.findIndex((part) => part.name === name)
  return at < 0 ? [] : started.splice(at, 1)
}

async function stopAll({ deps }: Control, parts: Part[]): Promise<void> {
  for (const { name, stop } of parts.reverse()) {
    const late = delay(PART_STOP_MS, 'late', { ref: false })
    const ended = await Promise.race([stop(), late]).catch((error) =>
      deps.log.warn(`stopping ${name}: ${messageOf(error)}`),
    )
    if (ended === 'late') deps.log.warn(`stopping ${name}: still busy after ${PART_STOP_MS / 1000} s`)
  }
}
