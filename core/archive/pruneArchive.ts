import { readdir, rm, stat } from 'node:fs/promises'
import { join } from 'node:path'

type File = { path: string; bytes: number; at: number }

/** A file that has been in the making for this long is not any more. */
const ABANDONED_MS = 3_600_000

/**
 * Deletes archive files that are older than `keepMs`, then the oldest until all together are no larger than `maxBytes`,
 * and what a crash left half written. Returns how many it deleted.
 */
export async function pruneArchive(
  dir: string,
  keepMs: number,
  maxBytes: number,
  now: number,
): Promise<number> {
  const files = (await filesIn(dir)).sort((a, b) => b.at - a.at)
  let total = 0
  let deleted = 0
  for (const { path, bytes, at } of files) {
    const isPart = path.endsWith('.part')
    if (!isPart) total += bytes
    if (isPart ? now - at < ABANDONED_MS : now - at < keepMs && total <= maxBytes) continue
    await rm(path, { force: true })
    deleted++
  }
  return deleted
}

async function filesIn(dir: string): Promise<File[]> {
  const names = await readdir(dir, { recursive: true }).catch(() => [])
  const files = names.filter((name) =>
    /^\d{4}-\d\d\/run--?\d+\.jsonl\.gz(\.part)?$/.test(name.replaceAll('\\', '/')),
  )
  const looked = files.map(async (name): Promise<File | null> => {
    const path = join(dir, name)
    return stat(path).then(
      ({ size, mtimeMs }) => ({ path, bytes: size, at: mtimeMs }),
      () => null,
    )
  })
  return (await Promise.all(looked)).filter((file) => file !== null)
}
