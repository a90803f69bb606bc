import { createReadStream } from 'node:fs'
import { mkdir, open, rename, rm } from 'node:fs/promises'
import { dirname, join } from 'node:path'
import { createInterface } from 'node:readline'
import { Readable } from 'node:stream'
import { pipeline } from 'node:stream/promises'
import { createGunzip, createGzip } from 'node:zlib'
import { z } from 'zod'
import { failpoint } from '../config/failpoint.ts'

/** A piece of log as it stands in the ledger and, one a line, in a run's archive file. */
export const ArchivedPiece = z.object({
  attempt: z.uuid(),
  seq: z.int(),
  stream: z.string(),
  text: z.string(),
  at: z.iso.datetime(),
})
export type ArchivedPiece = z.infer<typeof ArchivedPiece>

/** What names a run's file. Nothing of it ever changes. */
export type ArchivedRun = { number: number; createdAt: Date }

/** `archive/2026-11/run-12.jsonl.gz`, by the month (UTC) in which the run was asked for. */
export const archivePath = (dir: string, { number, createdAt }: ArchivedRun): string =>
  join(dir, createdAt.toISOString().slice(0, 7), `run-${number}.jsonl.gz`)

/** A file that is being written; one that is left over belongs to nobody. */
export const unfinished = (path: string): string => `${path}.part`

/**
 * Writes a run's file, whole or not at all: under another name first, on disk before it takes its own, and so is the
 * name when this resolves. An older file of the run is replaced.
 */
export async function writeArchive(path: string, pieces: AsyncIterable<ArchivedPiece>): Promise<void> {
  await mkdir(dirname(path), { recursive: true, mode: 0o700 })
  const part = unfinished(path)
  try {
    const file = await open(part, 'w', 0o600)
    try {
      await pipeline(Readable.from(lines(pieces)), createGzip(), async (bytes: AsyncIterable<Buffer>) => {
        for await (const some of bytes) await file.appendFile(some)
      })
      await file.sync()
    } finally {
      await file.close()
    }
    failpoint('archive.written:before')
    await rename(part, path)
    await syncDirectory(dirname(path))
    failpoint('archive.written:after')
  } catch (error) {
    await rm(part, { force: true })
    throw error
  }
}

async function* lines(pieces: AsyncIterable<ArchivedPiece>): AsyncIterable<string> {
  for await (const piece of pieces) yield `${JSON.stringify(piece)}\n`
}

async function syncDirectory(dir: string): Promise<void> {
  const handle = await open(dir, 'r')
  await handle.sync().finally(() => handle.close())
}

/** The pieces of a run's file in the order in which they were written; none when there is no file. */
export async function* readArchive(path: string): AsyncIterable<ArchivedPiece> {
  const bytes = createReadStream(path)
  const text = bytes.pipe(createGunzip())
  bytes.once('error', (error) => text.destroy(error))
  try {
    for await (const line of createInterface({ input: text, crlfDelay: Number.POSITIVE_INFINITY }))
      yield ArchivedPiece.parse(JSON.parse(line))
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code !== 'ENOENT') throw error
  } finally {
    bytes.destroy()
  }
}
