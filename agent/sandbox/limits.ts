import { spawnSync } from 'node:child_process'
import { release, totalmem } from 'node:os'
import { findProgram } from './environment.ts'

/** What one command may use. Bytes; processes and memory of the whole tree (memory also of each process), size of each file. */
export type Limits = { processes: number; memory: number; fileSize: number }

/** Limits as set; what is not set follows from the machine. */
export const limitsOf = (set: Omit<Limits, 'memory'> & { memory: number | null }): Limits => ({
  ...set,
  memory: set.memory ?? Math.floor(totalmem() * 0.9),
})

/** The words in front of a command that set its limits; none where the machine has no `prlimit` (util-linux). */
export function limitWords(limits: Limits, places: string[]): string[] {
  const prlimit = findProgram('prlimit', places)
  if (!prlimit) return []
  const words = [
    prlimit,
    '--core=0:0',
    `--data=${limits.memory}:${limits.memory}`,
    `--fsize=${limits.fileSize}:${limits.fileSize}`,
    ...(countsProcesses() ? [`--nproc=${limits.processes}:${limits.processes}`] : []),
  ]
  return spawnSync(words[0] ?? '', [...words.slice(1), 'true'], { stdio: 'ignore' }).status === 0 ? words : []
}

/**
 * Whether the kernel counts the processes of one command alone: Linux 5.14 and on, in the command's own user namespace,
 * and never those of root.
 */
export function countsProcesses(uid = process.getuid?.() ?? 0, kernel = release()): boolean {
  const [major = 0, minor = 0] = kernel.split('.').map(Number)
  return uid !== 0 && (major > 5 || (major === 5 && minor >= 14))
}
