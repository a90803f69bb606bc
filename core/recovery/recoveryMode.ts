import type { Deps } from '../deps.ts'
import { tellEvent } from '../events/tellEvent.ts'
import type { Actor } from '../people/actor.ts'
import { toldBy } from '../people/actor.ts'
import type { Sql } from '../storage/sql.ts'
import { type RecoveryMode, recoveryModes } from './ladder.ts'

type Settings = { recovery: Pick<Deps['settings']['recovery'], 'mode'> }

/** The order of modes, the most careful first: what people choose in the chat never goes beyond the setting. */
const careful: readonly RecoveryMode[] = ['off', 'retry', 'auto']

const isMode = (value: unknown): value is RecoveryMode => recoveryModes.some((mode) => mode === value)

/** The modes that people may choose here: none beyond the setting. */
export const allowedModes = ({ recovery }: Settings): RecoveryMode[] =>
  careful.filter((mode) => careful.indexOf(mode) <= careful.indexOf(recovery.mode))

/** How recovery works now: as /settings says, at most as SKYNET_RECOVERY allows. */
export async function recoveryMode(sql: Sql, settings: Settings): Promise<RecoveryMode> {
  const [row] = await sql.query<{ value: unknown }>("SELECT value FROM installation WHERE key = 'recovery'")
  const chosen = isMode(row?.value) ? row.value : settings.recovery.mode
  return careful.indexOf(chosen) < careful.indexOf(settings.recovery.mode) ? chosen : settings.recovery.mode
}

/** Chooses the mode for the whole installation, with its event. False when it was so already. */
export async function setRecoveryMode(tx: Sql, mode: RecoveryMode, by: Actor): Promise<boolean> {
  const changed = await tx.query(
    `INSERT INTO installation AS i (key, value) VALUES ('recovery', $1)
     ON CONFLICT (key) DO UPDATE SET value = $1 WHERE i.value <> $1 RETURNING key`,
    [JSON.stringify(mode)],
  )
  if (changed.length === 0) return false
  await tellEvent(tx, 'settings.changed', {}, { setting: 'recovery', to: mode, ...toldBy(by) })
  return true
}
