import type { Fault, World } from './faults.ts'
import { quick } from './quickFaults.ts'
import { type Random, randomFrom } from './random.ts'
import { slow } from './slowFaults.ts'

/** What faults are called on the command line. */
export const kinds: readonly string[] = [...new Set([...quick, ...slow].map(({ kind }) => kind))]

export type Lane = { faults: readonly Fault[]; random: Random; least: number; most: number }

/**
 * Faults follow each other in lanes beside each other: one of those that are over in a moment, `count` of those that
 * last. Each lane has its own random numbers, so that the same seed gives the same faults however they meet.
 */
export function lanesOf(only: readonly string[], count: number, seed: number): Lane[] {
  const chosen = (faults: readonly Fault[]): readonly Fault[] =>
    only.length === 0 ? faults : faults.filter(({ kind }) => only.includes(kind))
  const lanes = [
    { faults: chosen(quick), random: randomFrom(seed), least: 600, most: 2400 },
    ...Array.from({ length: count }, (_, i) => ({
      faults: chosen(slow),
      random: randomFrom(seed + 1000 * (i + 1)),
      least: 500,
      most: 2500,
    })),
  ]
  return lanes.filter(({ faults }) => faults.length > 0)
}

/** Things that a fault has for itself while it lasts. */
export class Taken {
  readonly #taken = new Set<object>()

  /** Injects a fault that takes what it needs. Null when somebody else has that, or there is nothing to take. */
  async inject(fault: Fault, world: Omit<World, 'take'>): ReturnType<Fault['inject']> {
    const own: object[] = []
    const take: World['take'] = (items) => {
      const item = world.random.pick(items)
      if (this.#taken.has(item)) return null
      this.#taken.add(item)
      own.push(item)
      return item
    }
    try {
      return await fault.inject({ ...world, take })
    } finally {
      for (const item of own) this.#taken.delete(item)
    }
  }
}
