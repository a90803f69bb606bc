import type { Env } from '../core/config/settings.ts'
import { inviteMachine } from '../core/fleet/inviteMachine.ts'
import { commandLine } from '../core/people/actor.ts'
import { checkSettings } from './checkSettings.ts'
import { localUrl } from './localUrl.ts'
import { withLedger } from './openLedger.ts'

/** `skynet agent invite`: the line that lets another machine join, as `/agents` in the chat gives it. */
export async function inviteCommand(env: Env): Promise<void> {
  const { gateway } = checkSettings(env)
  const url = gateway.publicUrl ?? localUrl(gateway.host, gateway.port)
  const { minutes, join, run, hint } = await withLedger(env, ({ db }) =>
    inviteMachine(db, url, commandLine()),
  )
  console.log(`On the other machine, in a checkout there, once and within ${minutes} minutes:\n\n  ${join}\n`)
  console.log(`Then, to connect:  ${run}`)
  if (hint) console.log(hint)
}
