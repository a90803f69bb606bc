import type { Env } from '../core/config/settings.ts'
import { checkToken } from './askTelegram.ts'
import { tunnelLine, userName } from './banner.ts'
import { checkPorts, type Listening } from './checkPorts.ts'
import { checkSettings, listeners } from './checkSettings.ts'
import { endProperly } from './endProperly.ts'
import { flushCodeCache } from './flushCodeCache.ts'
import { localUrl } from './localUrl.ts'
import { openControl } from './openControl.ts'
import { pairingCode } from './pairingCode.ts'
import { type Parts, startParts } from './startParts.ts'
import { warnOfStrangeSettings } from './strangeSettings.ts'

/** Runs parts of the control plane alone, until a signal. They meet the other parts in the database and the queue. */
export async function runParts(name: string, given: Env, parts: Parts): Promise<void> {
  warnOfStrangeSettings(given)
  const before = checkSettings(given)
  const env = await checkPorts(given, portsOf(listeners(before), parts))
  const { gateway, control: config } = checkSettings(env)
  if (parts.bot) await checkToken(config.telegram)
  const control = await openControl(env, name)
  const joinUrl = gateway.publicUrl ?? localUrl(gateway.host, gateway.port)
  const running = await startParts(control, joinUrl, parts).catch(async (error) => {
    await control.close()
    throw error
  })
  const stop = async () => {
    await running.stop()
    await control.close()
  }
  endProperly({ stop }, (line) => console.error(line))
  console.log(`SKYNET ${name} runs. Ctrl+C stops it.`)
  if (running.apiUrl) console.log(`  API   ${running.apiUrl}/v1`)
  if (running.pageUrl) tellPage(running.pageUrl, env, config.telegram)
  const code = parts.bot ? await pairingCode(control) : null
  if (code) console.log(`  Owner send the bot  /pair ${code}  (works once, within 24 h)`)
  flushCodeCache()
}

/** `skynet playground`: bot, API and workers with the local Telegram, whatever token is set. */
export function runPlayground(env: Env): Promise<void> {
  const local = Object.entries(env).filter(([name]) => !name.startsWith('TELEGRAM_'))
  return runParts('playground', Object.fromEntries(local), { bot: true, api: true, workers: true })
}

function portsOf(places: Listening[], parts: Parts): Listening[] {
  return places.filter(
    ({ setting }) =>
      (setting === 'SKYNET_HTTP' && parts.api) || (setting === 'SKYNET_PLAYGROUND' && parts.bot),
  )
}

function tellPage(url: string, env: Env, telegram: { kind: string; port?: number }): void {
  console.log(`  Chat  ${url}  (opens once; \`npm run skynet -- chat\` prints a new link)`)
  const tunnel = tunnelLine(env, telegram.port ?? 0, userName())
  if (tunnel) console.log(`  from afar: ${tunnel}`)
}
