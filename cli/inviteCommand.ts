import type { Env } from '../core/config/settings.ts'
import { newCode } from '../core/fleet/oneTimeCodes.ts'
import { checkSettings } from './checkSettings.ts'
import { localUrl } from './localUrl.ts'
import { withLedger } from './openLedger.ts'

const JOIN_TTL_MS = 10 * 60_000

/** `skynet agent invite`: the line that lets another machine join, as `/agents` in the chat gives it. */
export async function inviteCommand(env: Env): Promise<void> {
  const { gateway } = checkSettings(env)
  const code = await withLedger(env, ({ db }) => newCode(db, 'join', JOIN_TTL_MS, null))
  const url = gateway.publicUrl ?? localUrl(gateway.host, gateway.port)
  console.log(`On the other machine, once and within 10 minutes:\n\n  skynet agent join ${url} ${code}\n`)
  if (!gateway.publicUrl && url.includes('127.0.0.1'))
    console.log(
      'Set SKYNET_GATEWAY_HOST and SKYNET_GATEWAY_URL first, so that other machines reach the gateway.',
    )
}
