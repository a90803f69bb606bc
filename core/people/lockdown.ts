import { tellEvent } from '../events/tellEvent.ts'
import type { Sql } from '../storage/sql.ts'
import { type Actor, toldBy } from './actor.ts'

/** True in SQL while nothing may start. For statements that claim. */
export const lockedDown = "EXISTS (SELECT 1 FROM installation WHERE key = 'lockdown' AND value = 'true')"

/** Whether this installation starts nothing at present. */
export async function isLockedDown(sql: Sql): Promise<boolean> {
  const [row] = await sql.query<{ on: boolean }>(`SELECT ${lockedDown} AS "on"`)
  return row?.on ?? false
}

/**
 * Switches the lockdown on or off, with its event. While it is on nothing is claimed and no request is taken; what
 * runs is not touched by this. Returns false when it was so already.
 */
export async function setLockdown(tx: Sql, on: boolean, by: Actor = null): Promise<boolean> {
  const changed = await tx.query(
    `INSERT INTO installation AS i (key, value) VALUES ('lockdown', $1)
     ON CONFLICT (key) DO UPDATE SET value = $1 WHERE i.value <> $1 RETURNING key`,
    [JSON.stringify(on)],
  )
  if (changed.length === 0) return false
  await tellEvent(tx, 'lockdown', {}, { on, ...toldBy(by) })
  return true
}
