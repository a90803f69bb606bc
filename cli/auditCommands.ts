import { notedHeads } from '../core/audit/notedHeads.ts'
import { type AuditRow, type Head, headText, parseHead } from '../core/audit/row.ts'
import { sealAuditOnce } from '../core/audit/seal.ts'
import { newestRows, verifyAudit } from '../core/audit/verify.ts'
import type { Env } from '../core/config/settings.ts'
import { headsFileOf } from './openControl.ts'
import { withLedger } from './openLedger.ts'
import { printTable } from './printTable.ts'
import { UsageError } from './reportError.ts'

/** `skynet audit verify`: whether the trail is whole; exit code 1 when it is not. */
export async function verifyAuditCommand(env: Env, given: readonly string[]): Promise<void> {
  const heads = given.map(readHead)
  const { verified, noted } = await withLedger(env, async ({ db, config }) => {
    await sealAuditOnce({ db })
    const kept = await notedHeads(headsFileOf(config))
    return { verified: await verifyAudit(db, [...kept, ...heads]), noted: kept.length + heads.length }
  })
  const { rows, head, faults } = verified
  if (faults.length === 0)
    return console.log(
      `The trail is whole: ${rows} acts, each following the one before; ${noted} noted heads fit.\nHead ${headText(head)}`,
    )
  console.log(`The trail was changed. ${rows} acts, and:`)
  for (const { kind, text } of faults) console.log(`  ${kind}: ${text}`)
  process.exitCode = 1
}

function readHead(text: string): Head {
  const head = parseHead(text)
  if (!head) throw new UsageError('--head takes what `skynet audit head` printed: NUMBER:HASH')
  return head
}

/** `skynet audit head`: where the trail ends, to be noted elsewhere. */
export async function auditHeadCommand(env: Env): Promise<void> {
  const { head } = await withLedger(env, ({ db }) => sealAuditOnce({ db }))
  console.log(headText(head))
}

/** `skynet audit show`: the newest acts, oldest of them first. */
export async function showAuditCommand(env: Env, limit: number, json: boolean): Promise<void> {
  const rows = await withLedger(env, async ({ db }) => {
    await sealAuditOnce({ db })
    return (await newestRows(db, limit)).reverse()
  })
  if (json) for (const row of rows) console.log(JSON.stringify(row))
  else printTable(['NO', 'WHEN', 'WHO', 'WHAT', 'ABOUT'], rows.map(cellsOf))
}

const cellsOf = ({ position, at, who, type, subject, data }: AuditRow): string[] => [
  String(position),
  at.toISOString(),
  who,
  type,
  JSON.stringify({ ...subject, ...data }),
]
