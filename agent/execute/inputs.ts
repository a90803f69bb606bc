import { mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import type { TaskInput } from '../../core/protocol/specs.ts'

/** The variable that names the file with what the tasks before this one left behind. */
export const INPUTS = 'SKYNET_INPUTS'

/**
 * Writes what the tasks before this one left behind into a file of its own, readable by this account alone: JSON, by
 * the key of the task. Throws when the disk takes nothing. `remove` never throws.
 */
export function placeInputs(inputs: readonly TaskInput[]): { path: string; remove(): void } {
  const dir = mkdtempSync(join(tmpdir(), 'skynet-inputs-'))
  const remove = (): void => {
    try {
      rmSync(dir, { recursive: true, force: true })
    } catch {
      // It is in the directory for temporary files; the system clears that.
    }
  }
  const path = join(dir, 'inputs.json')
  const byKey = Object.fromEntries(inputs.map(({ key, ...input }) => [key, input]))
  try {
    writeFileSync(path, JSON.stringify(byKey, null, 2), { mode: 0o600 })
  } catch (error) {
    remove()
    throw error
  }
  return { path, remove }
}
