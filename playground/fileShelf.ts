import { mkdirSync } from 'node:fs'
import { readFile, writeFile } from 'node:fs/promises'
import { join } from 'node:path'

const memoryLimit = 32 * 1024 * 1024

/** Where uploaded documents lie, by file id. */
export type FileShelf = {
  put(id: string, bytes: Buffer): Promise<void>
  get(id: string): Promise<Buffer | null>
}

/** Keeps files beside the state file, or, without one, the newest 32 MB in memory. */
export function openFileShelf(stateFile: string | null): FileShelf {
  return stateFile === null ? memoryShelf() : folderShelf(`${stateFile}.files`)
}

function folderShelf(folder: string): FileShelf {
  return {
    async put(id, bytes) {
      mkdirSync(folder, { recursive: true, mode: 0o700 })
      await writeFile(join(folder, id), bytes, { mode: 0o600 })
    },
    get: (id) => readFile(join(folder, id)).catch(() => null),
  }
}

function memoryShelf(): FileShelf {
  const files = new Map<string, Buffer>()
  let total = 0
  return {
    async put(id, bytes) {
      files.set(id, bytes)
      total += bytes.length
      for (const [oldest, old] of files) {
        if (total <= memoryLimit || oldest === id) return
        files.delete(oldest)
        total -= old.length
      }
    },
    get: async (id) => files.get(id) ?? null,
  }
}
