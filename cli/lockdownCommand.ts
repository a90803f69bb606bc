import { setTimeout as delay } from 'node:timers/promises'
import type { Env } from '../core/config/settings.ts'
import { commandLine } from '../core/people/actor.ts'
import { setLockdown } from '../core/people/lockdown.ts'
import { openQueue } from '../core/queue/openQueue.ts'
import { noRecovery } from '../core/recovery/ladder.ts'
import { redactor } from '../core/redaction/redact.ts'
import { lockDown } from '../core/runs/lockDown.ts'
import { type Ledger, withLedger } from './openLedger.ts'

/** The wake-ups of what was committed leave at the next turn of the event loop. */
const WAKE_MS = 100

/** `skynet lockdown`: cancels all that runs or waits and starts nothing more, until `--lift`. */
export async function lockdownCommand(env: Env, lift: boolean): Promise<void> {
  await withLedger(env, async (ledger) => {
    if (lift) {
      const changed = await ledger.db.tx((tx) => setLockdown(tx, false, commandLine()))
      return console.log(
        changed ? 'The lockdown is lifted: SKYNET takes requests again.' : 'There is no lockdown.',
      )
    }
    const { changed, cancelled: count } = await lock(ledger)
    console.log(
      `${changed ? 'Locked down' : 'It was locked down already'}: ${count} run${count === 1 ? '' : 's'} cancelled, nothing new starts until \`skynet lockdown --lift\`.`,
    )
    console.log('`skynet people revoke ID` takes rights away, `skynet token revoke NAME` a token.')
  })
}

async function lock({ config, db, log, url }: Ledger): Promise<{ changed: boolean; cancelled: number }> {
  const queue = await openQueue(
    { db, log, redact: redactor([]) },
    config.redisUrl ? { kind: 'redis', url: config.redisUrl } : { kind: 'postgres', url },
  )
  try {
    const done = await lockDown(
      { wake: queue.wake, bus: queue.bus, settings: { ...config, recovery: noRecovery } },
      db.tx,
      commandLine(),
    )
    await delay(WAKE_MS)
    return done
  } finally {
    await queue.close()
  }
}
