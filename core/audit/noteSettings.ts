import { createHmac } from 'node:crypto'
import { hostname } from 'node:os'
import type { Env } from '../config/settings.ts'
import { tellEvent } from '../events/tellEvent.ts'
import { jsonText } from '../storage/jsonText.ts'
import type { Database } from '../storage/openDatabase.ts'
import type { Sql } from '../storage/sql.ts'

/** What a control plane starts with, as far as the trail tells of it. */
export type StartedWith = {
  env: Env
  /** Names of the settings that count. */
  names: readonly string[]
  policyVersion: string
  /** Hides values: who reads the ledger can neither read nor guess them. */
  key: string
}

/**
 * Tells, when the control plane starts, which settings of this machine and whether the policy are others than at its
 * last start: an event each. Names only, never values. The first start tells nothing.
 */
export async function noteSettings(db: Pick<Database, 'tx'>, now: StartedWith): Promise<void> {
  const host = hostname()
  await db.tx(async (tx) => {
    const prints = Object.fromEntries(now.names.map((name) => [name, printOf(now.key, name, now.env[name])]))
    const before = await replace(tx, `settings:${host}`, prints)
    const changed = before ? now.names.filter((name) => prints[name] !== (before[name] ?? null)) : []
    if (changed.length > 0) await tellEvent(tx, 'settings.changed', {}, { host, changed, by: null })
    const policy = await replace(tx, 'policy', { version: now.policyVersion })
    if (policy && policy.version !== now.policyVersion)
      await tellEvent(
        tx,
        'policy.changed',
        {},
        { host, from: policy.version, to: now.policyVersion, by: null },
      )
  })
}

/** Tells two values apart without telling either; null for none. */
const printOf = (key: string, name: string, value: string | undefined): string | null =>
  value?.trim()
    ? createHmac('sha256', key).update(`${name}=${value.trim()}`).digest('hex').slice(0, 16)
    : null

type Kept = Record<string, string | null>

/** Puts a value into the installation's notes; returns what stood there before. */
async function replace(tx: Sql, key: string, value: Kept): Promise<Kept | null> {
  const [row] = await tx.query<{ value: Kept }>('SELECT value FROM installation WHERE key = $1 FOR UPDATE', [
    key,
  ])
  await tx.query(
    'INSERT INTO installation AS i (key, value) VALUES ($1, $2) ON CONFLICT (key) DO UPDATE SET value = $2 WHERE i.value <> $2',
    [key, jsonText(value)],
  )
  return row?.value ?? null
}
