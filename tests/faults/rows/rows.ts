import { chatRow } from './chat.ts'
import { poisonRow } from './poison.ts'
import { restartsRow } from './restarts.ts'
import type { Row } from './row.ts'
import { staleRow } from './stale.ts'

/** Updates to a kill, and messages to a fault of Telegram: each costs some before the next. */
const UPDATES_PER_KILL = 100
const UPDATES_PER_FAULT = 4

/** The rows of the table of faults that are run by themselves, by name. */
export const rows: Readonly<Record<string, (row: Row) => Promise<string[]>>> = {
  holders: staleRow,
  poison: poisonRow,
  restarts: restartsRow,
  updates: (row) => {
    const kills = row.count ?? 100
    return chatRow({ ...row, kills, updates: kills * UPDATES_PER_KILL, faults: 0 })
  },
  telegram: (row) => {
    const faults = row.count ?? 2000
    return chatRow({ ...row, faults, updates: faults * UPDATES_PER_FAULT, kills: 0 })
  },
}
