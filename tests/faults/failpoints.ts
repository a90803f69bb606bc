import type { PartKind } from './part.ts'
import type { Random } from './random.ts'

const around = (...names: string[]): string[] => names.flatMap((name) => [`${name}:before`, `${name}:after`])
const moves = (...names: string[]): string[] =>
  names.flatMap((name) => [...around(name), `${name}:committed`])

/**
 * Where each part is killed: at the transitions that it makes, at its calls, and at the steps of its journal. What
 * workers cancel themselves (a claim that is turned down while its run is being cancelled) takes a moment of
 * milliseconds and is left to tests/integration/scheduling.test.ts.
 */
const failpoints: Record<Exclude<PartKind, 'bot'>, readonly string[]> = {
  workers: [
    ...moves('task.claimed', 'task.queued', 'task.needs_review', 'task.force_cancelled'),
    ...moves('run.running', 'run.awaiting_approval', 'run.refused', 'run.expired', 'run.force_cancelled'),
    ...moves('approval.expired', 'attempt.released', 'attempt.lost'),
    ...moves('recovery.trying', 'recovery.not_helped'),
    ...around('dispatch', 'model.asked', 'memory.stored'),
    ...['memory.page:after', 'memory.page:committed'],
  ],
  api: [
    ...moves('task.running', 'task.succeeded', 'task.failed', 'task.failed_timeout', 'task.cancelled'),
    ...moves('task.blocked', 'task.queued', 'task.skipped', 'task.needs_review'),
    ...moves('attempt.accepted', 'attempt.started', 'attempt.exited', 'attempt.lost', 'attempt.refused'),
    ...moves('run.running', 'run.paused', 'run.cancelling', 'run.denied'),
    ...moves('run.succeeded', 'run.failed', 'run.cancelled'),
    ...moves('approval.approved', 'approval.denied', 'approval.superseded'),
    ...moves('recovery.trying', 'recovery.helped', 'recovery.not_helped', 'recovery.cancelled'),
  ],
  gateway: around('action', 'cancel', 'report', 'hello'),
  agent: [
    ...around('journal.accepted', 'journal.refused', 'journal.started', 'journal.log', 'journal.result'),
    ...around('journal.lost'),
    'journal.accepted:synced',
  ],
}

const partKinds = Object.keys(failpoints) as (keyof typeof failpoints)[]

/** Where the bot is killed (tests/faults/rows/chat.ts). */
const botPoints: readonly string[] = [...moves('update.handled', 'message.sent'), ...around('update.stored')]

/** Points that a process waits for at a time: it dies at the one that it comes to first. */
const AT_ONCE = 4

/** Chooses where parts die next: at points that were hit least. */
export class Failpoints {
  /** How often each point was hit, by `part point`. */
  readonly hits = new Map<string, number>()
  readonly #random: Random
  readonly #at: readonly string[]

  /** `at`: only points whose names begin with one of these; none: all of them. */
  constructor(random: Random, at: readonly string[] = []) {
    this.#random = random
    this.#at = at
  }

  /** The points of a part at which it is to die. */
  #of(kind: PartKind): readonly string[] {
    const all = kind === 'bot' ? botPoints : failpoints[kind]
    const at = this.#at
    return at.length === 0 ? all : all.filter((point) => at.some((start) => point.startsWith(start)))
  }

  /** Points of the parts that the stand has, by `part point`. */
  get all(): string[] {
    return partKinds.flatMap((kind) => this.#of(kind).map((point) => `${kind} ${point}`))
  }

  /**
   * The next points of a part of this kind: of no two that follow each other, since it would never come to the second.
   * Every other time only such as were hit least of all: the others, which it comes to often, would forestall them.
   */
  next(kind: PartKind): string[] {
    const order = this.#of(kind).map((point) => ({
      point,
      name: point.split(':')[0] ?? '',
      hits: this.hits.get(`${kind} ${point}`) ?? 0,
      draw: this.#random.between(0, 1),
    }))
    order.sort((a, b) => a.hits - b.hits || a.draw - b.draw)
    const least = this.#random.chance(0.5) ? order[0]?.hits : undefined
    const one = [...Map.groupBy(order, ({ name }) => name).values()].flatMap((same) => same.slice(0, 1))
    const fit = one.filter(({ hits }) => least === undefined || hits === least)
    return fit.slice(0, AT_ONCE).map(({ point }) => point)
  }

  hit(kind: PartKind, point: string): void {
    const name = `${kind} ${point}`
    this.hits.set(name, (this.hits.get(name) ?? 0) + 1)
  }

  /** Points that no process has come to. */
  get missed(): string[] {
    return this.all.filter((name) => !this.hits.has(name))
  }
}
