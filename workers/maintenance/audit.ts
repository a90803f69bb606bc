import { noteHead } from '../../core/audit/notedHeads.ts'
import { sealAuditOnce } from '../../core/audit/seal.ts'
import type { Deps } from '../../core/deps.ts'

/** A new head is noted this often at most. */
const NOTE_MS = 600_000

/** When each file got its last line, by this process. */
const notedAt = new Map<string, number>()

/** Puts what was done into the audit trail, and notes its head in a file now and then. */
export async function sealAndNote({
  db,
  clock,
  settings: { headsFile },
}: Pick<Deps, 'db' | 'clock' | 'settings'>): Promise<void> {
  const { rows, head } = await sealAuditOnce({ db })
  const now = clock.now()
  const last = notedAt.get(headsFile)
  if (rows === 0 || (last !== undefined && now.getTime() - last < NOTE_MS)) return
  await noteHead(headsFile, head, now)
  notedAt.set(headsFile, now.getTime())
}
