import { setTimeout as delay } from 'node:timers/promises'
import type { Env } from '../core/config/settings.ts'
import { commandLine } from '../core/people/actor.ts'
import { setLockdown } from '../core/people/lockdown.ts'
import { openQueue } from '../core/queue/openQueue.ts'
import { cancelRun } from '../core/runs/cancelRun.ts'
import type { Sql } from '../core/storage/sql.ts'
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
    const changed = await ledger.db.tx((tx) => setLockdown(tx, true, commandLine()))
    const count = await cancelEverything(ledger)
    console.log(
      `${changed ? 'Locked down' : 'It was locked down already'}: ${count} run${count === 1 ? '' : 's'} cancelled, nothing new starts until \`skynet lockdown --lift\`.`,
    )
    console.log('`skynet people revoke ID` takes rights away, `skynet token revoke NAME` a token.')
  })
}

/** The lock is on by now, so nothing can start behind this. A run that ends meanwhile is left as it is. */
async function cancelEverything({ config, db, log, url }: Ledger): Promise<number> {
  const queue = await openQueue(
    { db, log },
    config.redisUrl ? { kind: 'redis', url: config.redisUrl } : { kind: 'postgres', url },
  )
  try {
    const runs = await activeRuns(db)
    for (const { id } of runs) await db.tx((tx) => cancelRun(queue, tx, id, null))
    await delay(WAKE_MS)
    return runs.length
  } finally {
    await queue.close()
  }
}

const activeRuns = (sql: Sql): Promise<{ id: string }[]> =>
  sql.query<{ id: string }>(
    "SELECT id FROM run WHERE status IN ('planning', 'awaiting_approval', 'running', 'paused') ORDER BY number",
  )
