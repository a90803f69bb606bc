import { appendFile, mkdir, readFile } from 'node:fs/promises'
import { dirname } from 'node:path'
import { type Head, headText, parseHead } from './row.ts'

/** Adds a head to the file of noted ones (0600), with the time: `2026-11-21T20:00:00.000Z 12:9f3a...`. */
export async function noteHead(file: string, head: Head, at: Date): Promise<void> {
  await mkdir(dirname(file), { recursive: true, mode: 0o700 })
  await appendFile(file, `${at.toISOString()} ${headText(head)}\n`, { mode: 0o600 })
}

/** The heads of that file; none when there is none. Lines that are no heads are passed over. */
export async function notedHeads(file: string): Promise<Head[]> {
  const text = await readFile(file, 'utf8').catch(() => '')
  return text.split('\n').flatMap((line) => parseHead(line.split(' ')[1] ?? '') ?? [])
}
