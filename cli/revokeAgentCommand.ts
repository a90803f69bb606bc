import { setTimeout as delay } from 'node:timers/promises'
import { openSecrets } from '../core/config/secrets.ts'
import type { Env } from '../core/config/settings.ts'
import { revokeAgent } from '../core/fleet/revokeAgent.ts'
import { commandLine } from '../core/people/actor.ts'
import { openQueue } from '../core/queue/openQueue.ts'
import { noRecovery } from '../core/recovery/ladder.ts'
import { redactor } from '../core/redaction/redact.ts'
import { withLedger } from './openLedger.ts'
import { UsageError } from './reportError.ts'

/** What was committed is told to gateways and workers at the next turns of the event loop. */
const TELL_MS = 500

/** `skynet agent revoke NAME`: a machine is not trusted any more. Works without Telegram. */
export async function revokeAgentCommand(env: Env, name: string): Promise<void> {
  await withLedger(env, async ({ config, db, log, url }) => {
    const [agent] = await db.query<{ id: string }>('SELECT id FROM agent WHERE lower(name) = lower($1)', [
      name,
    ])
    if (!agent) throw new UsageError(`there is no machine ${name}. /agents in the chat shows their names.`)
    const gatewayToken = config.gatewayToken ?? (await openSecrets(config.dataDir)).gateway_token
    const queue = await openQueue(
      { db, log, redact: redactor([]) },
      config.redisUrl ? { kind: 'redis', url: config.redisUrl } : { kind: 'postgres', url },
    )
    try {
      const done = await db.tx((tx) =>
        revokeAgent(
          { ...queue, gatewayToken, settings: { ...config, recovery: noRecovery } },
          tx,
          agent.id,
          commandLine(),
        ),
      )
      await delay(TELL_MS)
      if (done.kind !== 'revoked') return console.log(`${name} was revoked already.`)
      console.log(
        `${done.name} is revoked: cut off, and what it reports is refused. Joining again takes a new code.`,
      )
      if (done.working > 0)
        console.log(
          `Mind: ${done.working} task(s) may go on running there; that cannot be stopped from here.`,
        )
    } finally {
      await queue.close()
    }
  })
}
