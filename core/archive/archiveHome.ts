import { randomUUID } from 'node:crypto'
import { mkdir, readFile, writeFile } from 'node:fs/promises'
import { hostname } from 'node:os'
import { join } from 'node:path'
import { z } from 'zod'
import type { Deps } from '../deps.ts'

/** Where the archive of this installation is: the directory that holds this id. */
const Home = z.object({ id: z.uuid(), host: z.string(), dir: z.string() })
type Home = z.infer<typeof Home>

export type ArchiveAccess =
  | { kind: 'here'; dir: string }
  /** Its files are on another machine, or in another data directory. */
  | { kind: 'elsewhere'; host: string; dir: string }

type HomeDeps = { db: Pick<Deps['db'], 'query'>; settings: Pick<Deps['settings'], 'archiveDir'> }

/**
 * Whether this process reaches the installation's archive. There is one: the first process that archives makes it in
 * its data directory, with a file that names it, and the ledger remembers. Moved or shared, it is known by that file.
 */
export async function archiveAccess(deps: HomeDeps): Promise<ArchiveAccess> {
  const dir = deps.settings.archiveDir
  const home = await homeOf(deps)
  if (!home || home.id === (await idIn(dir))) return { kind: 'here', dir }
  return { kind: 'elsewhere', host: home.host, dir: home.dir }
}

/** The same for who is going to write: makes the archive here when there is none yet. */
export async function openArchive(deps: HomeDeps): Promise<ArchiveAccess> {
  if (!(await homeOf(deps))) {
    const dir = deps.settings.archiveDir
    await mkdir(dir, { recursive: true, mode: 0o700 })
    const id = (await idIn(dir)) ?? randomUUID()
    await writeFile(idFile(dir), `${id}\n`, { mode: 0o600 })
    await deps.db.query(
      "INSERT INTO installation (key, value) VALUES ('archive', $1) ON CONFLICT DO NOTHING",
      [JSON.stringify({ id, host: hostname(), dir } satisfies Home)],
    )
  }
  return archiveAccess(deps)
}

const idFile = (dir: string): string => join(dir, 'ID')
const idIn = (dir: string): Promise<string | null> =>
  readFile(idFile(dir), 'utf8').then(
    (text) => text.trim(),
    () => null,
  )

async function homeOf({ db }: HomeDeps): Promise<Home | null> {
  const [row] = await db.query<{ value: unknown }>("SELECT value FROM installation WHERE key = 'archive'")
  return row ? Home.parse(row.value) : null
}
