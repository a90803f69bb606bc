import type { PartKind } from './part.ts'
import type { Random } from './random.ts'

const around = (...names: string[]): string[] => names.flatMap((name) => [`${name}:before`, `${name}:after`])
const moves = (...names: string[]): string[] =>
  names.flatMap((name) => [...around(name), `${name}:committed`])

/** Where each part is killed: at the transitions that it makes, at its calls, and at the steps of its journal. */
export const failpoints: Record<PartKind, readonly string[]> = {
  workers: [
    ...moves('task.claimed', 'task.queued', 'task.cancelled', 'task.needs_review', 'task.force_cancelled'),
    ...moves('run.running', 'run.awaiting_approval', 'run.refused', 'run.cancelled', 'run.expired'),
    ...moves('approval.expired', 'attempt.released', 'attempt.lost'),
    ...around('dispatch'),
  ],
  api: [
    ...moves('task.running', 'task.succeeded', 'task.failed', 'task.failed_timeout', 'task.cancelled'),
    ...moves('task.queued', 'task.skipped', 'task.needs_review'),
    ...moves('attempt.accepted', 'attempt.started', 'attempt.exited', 'attempt.lost', 'attempt.refused'),
    ...moves('run.succeeded', 'run.failed', 'run.cancelled'),
  ],
  gateway: around('action', 'cancel', 'report', 'hello'),
  agent: [
    ...around('journal.accepted', 'journal.refused', 'journal.started', 'journal.log', 'journal.result'),
    ...around('journal.lost'),
    'journal.accepted:synced',
  ],
}

/** Chooses where parts die next: at points that were not hit so far, or were tried least. */
export class Failpoints {
  /** How often each point was hit, by `part point`. */
  readonly hits = new Map<string, number>()
  readonly #tries = new Map<string, number>()
  readonly #random: Random

  constructor(random: Random) {
    this.#random = random
  }

  next(kind: PartKind): string {
    const tries = (point: string) => this.#tries.get(`${kind} ${point}`) ?? 0
    const own = failpoints[kind]
    const least = Math.min(...own.map(tries))
    const fresh = own.filter((name) => !this.hits.has(`${kind} ${name}`))
    const point =
      fresh.length > 0 && this.#random.chance(0.5)
        ? this.#random.pick(fresh)
        : this.#random.pick(own.filter((name) => tries(name) === least))
    this.#tries.set(`${kind} ${point}`, tries(point) + 1)
    return point
  }

  hit(kind: PartKind, point: string): void {
    const name = `${kind} ${point}`
    this.hits.set(name, (this.hits.get(name) ?? 0) + 1)
  }

  /** Points that no process has come to. */
  get missed(): string[] {
    return Object.entries(failpoints).flatMap(([kind, points]) =>
      points.map((point) => `${kind} ${point}`).filter((name) => !this.hits.has(name)),
    )
  }
}
