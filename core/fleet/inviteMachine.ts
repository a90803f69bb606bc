import type { Actor } from '../people/actor.ts'
import type { Sql } from '../storage/sql.ts'
import { JOIN_MINUTES, newCode } from './oneTimeCodes.ts'

/** What a person types on the new machine, in a checkout; `hint` when that machine cannot reach the gateway yet. */
export type Invitation = { minutes: number; join: string; run: string; hint: string | null }

/**
 * A code that lets one more machine join, as the lines to type there. `gatewayUrl`: where the installation says that
 * its gateway is; `createdBy`: who asked.
 */
export async function inviteMachine(sql: Sql, gatewayUrl: string, createdBy: Actor): Promise<Invitation> {
  const code = await newCode(sql, 'join', JOIN_MINUTES * 60_000, createdBy)
  return {
    minutes: JOIN_MINUTES,
    join: `npm run skynet -- agent join ${gatewayUrl} ${code}`,
    run: 'npm run skynet -- agent',
    hint: isLoopback(gatewayUrl) ? loopbackHint : null,
  }
}

const loopbackHint =
  'Other machines do not reach the gateway yet: it listens on this one alone. Set SKYNET_GATEWAY_HOST and SKYNET_GATEWAY_URL first; see docs/operations.md, "More machines".'

const isLoopback = (url: string): boolean =>
  URL.canParse(url) && /^(127\.|localhost$|\[::1\]$)/.test(new URL(url).hostname)
