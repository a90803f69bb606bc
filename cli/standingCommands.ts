import { listStanding, revokeStanding } from '../core/approvals/listStanding.ts'
import type { Env } from '../core/config/settings.ts'
import { commandLine } from '../core/people/actor.ts'
import { withLedger } from './openLedger.ts'
import { printTable } from './printTable.ts'
import { UsageError } from './reportError.ts'

/** `skynet standing list`: what goes on without asking. */
export async function listStandingCommand(env: Env): Promise<void> {
  const lines = await withLedger(env, ({ db }) => listStanding(db, null))
  if (lines.length === 0) return console.log('Nothing is approved ahead.')
  printTable(
    ['ID', 'WHAT', 'WHERE', 'FOR', 'BY', 'UNTIL', 'USED'],
    lines.map((line) => [
      line.id,
      JSON.stringify(line.label).slice(1, -1).slice(0, 60),
      `${line.agentName}${line.cwd ? `:${line.cwd}` : ''}`,
      line.asker,
      line.givenBy,
      line.expiresAt.toISOString().slice(0, 16),
      String(line.uses),
    ]),
  )
}

/** `skynet standing revoke ID|all`: ends one, or all of them, at once. */
export async function revokeStandingCommand(env: Env, id: string): Promise<void> {
  const count = await withLedger(env, async ({ db }) => {
    const ids = (await listStanding(db, null))
      .map((line) => line.id)
      .filter((one) => id === 'all' || one === id)
    const ended = await Promise.all(
      ids.map((one) => db.tx((tx) => revokeStanding(tx, one, commandLine(), null))),
    )
    return ended.filter(Boolean).length
  })
  if (count === 0 && id !== 'all')
    throw new UsageError(`there is no ${id} in force. \`skynet standing list\` shows them.`)
  console.log(`Revoked ${count}.`)
}
