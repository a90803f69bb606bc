import { appendFileSync, existsSync, mkdirSync, readFileSync, renameSync, writeFileSync } from 'node:fs'
import { dirname } from 'node:path'

const compactAfter = 4 * 1024 * 1024

/** Append-only JSON lines. One process writes; a torn last line (a kill in mid-write) is dropped. */
export type Journal<E> = { append(entry: E): void }

/**
 * Opens a journal: replays what is there, then rewrites the file to the shortest form `snapshot` gives.
 * That is done again whenever 4 MB were appended. Without a file nothing is kept.
 */
export function openJournal<E>(
  file: string | null,
  replay: (entry: E) => void,
  snapshot: () => E[],
): Journal<E> {
  if (file === null) return { append: () => {} }
  for (const entry of readEntries<E>(file)) replay(entry)
  let appended = 0
  const compact = () => {
    rewrite(file, snapshot())
    appended = 0
  }
  compact()
  return {
    append(entry) {
      const line = `${JSON.stringify(entry)}\n`
      appendFileSync(file, line)
      appended += line.length
      if (appended > compactAfter) compact()
    },
  }
}

/** The playground is the only writer of this file, so lines that parse are taken at their word. */
function readEntries<E>(file: string): E[] {
  if (!existsSync(file)) return []
  return readFileSync(file, 'utf8')
    .split('\n')
    .flatMap((line) => parseLine<E>(line))
}

function parseLine<E>(line: string): E[] {
  try {
    return line === '' ? [] : [JSON.parse(line) as E]
  } catch {
    return []
  }
}

function rewrite<E>(file: string, entries: E[]): void {
  mkdirSync(dirname(file), { recursive: true, mode: 0o700 })
  const next = `${file}.next`
  writeFileSync(next, entries.map((entry) => `${JSON.stringify(entry)}\n`).join(''), { mode: 0o600 })
  renameSync(next, file)
}
