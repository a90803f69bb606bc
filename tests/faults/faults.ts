import { existsSync } from 'node:fs'
import type { Failpoints } from './failpoints.ts'
import type { Part } from './part.ts'
import type { Random } from './random.ts'
import type { Scope } from './recovery.ts'
import type { Stand } from './stand.ts'

export type World = {
  stand: Stand
  random: Random
  points: Failpoints
  /** Whether whoever is killed comes back to die at a failpoint. */
  arms: boolean
  /** One of these for this fault alone, until it is over; null when somebody else has it. */
  take<T extends object>(items: readonly T[]): T | null
}
/** One kind of fault. It resolves with whose work it met when it is over; with null when there was nobody to do it to. */
export type Fault = {
  /** What it is called on the command line (`--only`). */
  kind: string
  name: string
  weight: number
  inject(world: World): Promise<{ what: string; scope: Scope } | null>
}

export const libfaketime = ['/usr/lib/x86_64-linux-gnu', '/usr/lib/aarch64-linux-gnu', '/usr/lib']
  .map((dir) => `${dir}/faketime/libfaketime.so.1`)
  .find((file) => existsSync(file))

/** What cannot be done here, as a line for the report. */
export function missing({ machines, redis }: Stand): string[] {
  return [
    ...(libfaketime ? [] : ['clock skew: libfaketime is not installed (Debian: apt install libfaketime)']),
    ...(machines.every(({ disk }) => disk.canFill)
      ? []
      : ['full disk: this user may not mount a small file system']),
    ...(redis ? [] : ['restarts and FLUSHALL of Redis: this run has its queue on PostgreSQL']),
  ]
}

export const everybody: Scope = null

export function scopeOf(stand: Stand, part: Part): Scope {
  const machine = stand.machines.find((m) => m.part === part)
  return machine ? [machine.agentId] : everybody
}
