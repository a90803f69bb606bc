import { newCode } from '../core/fleet/oneTimeCodes.ts'
import type { Actor } from '../core/people/actor.ts'
import { hasOwner } from '../core/people/people.ts'
import type { Sql } from '../core/storage/sql.ts'
import type { Control } from './openControl.ts'

const PAIR_TTL_MS = 24 * 3_600_000

/** A code that makes whoever sends it to the bot an owner: once, within a day. */
export const newPairingCode = (sql: Sql, by: Actor = null): Promise<string> =>
  newCode(sql, 'pair', PAIR_TTL_MS, by)

/** With a real bot and no owner yet: a pairing code. Else null. */
export async function pairingCode({ config, deps }: Control): Promise<string | null> {
  if (config.telegram.kind === 'playground' || config.ownerIds.length > 0) return null
  return (await hasOwner(deps.db)) ? null : newPairingCode(deps.db)
}
