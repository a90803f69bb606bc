import { randomUUID } from 'node:crypto'
import { openArchive } from '../../core/archive/archiveHome.ts'
import { archiveRun } from '../../core/archive/archiveRun.ts'
import { runsToArchive } from '../../core/archive/dueRuns.ts'
import { pruneArchive } from '../../core/archive/pruneArchive.ts'
import type { Deps } from '../../core/deps.ts'
import { holdLease } from '../../core/storage/leases.ts'

/** Whoever archives holds this lease; another process that reaches the archive goes on when it lapses. */
const LEASE_MS = 60_000
const holder = randomUUID()
let told = false

type ArchiveDeps = Pick<Deps, 'db' | 'log' | 'settings' | 'clock'>

/**
 * Puts the logs of ended runs away as files of the archive, and deletes files that are too old or too many. One process
 * at a time does it, and only one that reaches the archive; any other says once where that is. Returns the runs it put
 * away.
 */
export async function archiveOnce(deps: ArchiveDeps): Promise<number> {
  const { retention } = deps.settings
  const access = await openArchive(deps)
  if (access.kind === 'elsewhere') {
    if (!told)
      deps.log.info(
        `logs are archived in ${access.dir} on ${access.host}, which this process does not reach: it archives nothing`,
      )
    told = true
    return 0
  }
  if (!(await holdLease(deps.db, 'archive', holder, LEASE_MS))) return 0
  const due = await runsToArchive(deps.db, retention)
  for (const run of due) {
    if (!(await holdLease(deps.db, 'archive', holder, LEASE_MS))) return 0
    await archiveRun(deps, access.dir, run)
  }
  await pruneArchive(access.dir, retention.logsMs, retention.archiveMaxBytes, deps.clock.now().getTime())
  return due.length
}
