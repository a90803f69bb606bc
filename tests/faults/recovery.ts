import type { Database } from '../../core/storage/openDatabase.ts'

type Waiting = { fault: string; since: number; mark: string }
export type Sample = { fault: string; ms: number }
/** Whose work a fault concerns: of these agents, or null for everybody's. */
export type Scope = readonly string[] | null

/**
 * Measures how long work that a fault met takes to move on: from the fault's end (or the kill) until the ledger tells
 * anything new of the task: a status, an attempt, or a frame. Work that the next fault meets as well counts from that
 * one. What the work itself takes is in the figure.
 */
export class Recovery {
  readonly samples: Sample[] = []
  readonly #db: Database
  readonly #waiting = new Map<string, Waiting>()

  constructor(db: Database) {
    this.#db = db
  }

  /** A fault has just ended: everything handed out now is affected. */
  async from(fault: string, scope: Scope): Promise<void> {
    const since = performance.now()
    const rows = await this.#read(
      "t.status IN ('claimed', 'running') AND ($1::uuid[] IS NULL OR t.agent_id = ANY($1::uuid[]))",
      scope,
    )
    for (const { id, mark } of rows) this.#waiting.set(id, { fault, since, mark })
  }

  /** Takes down what has moved since it was last looked at. */
  async look(): Promise<void> {
    if (this.#waiting.size === 0) return
    const rows = await this.#read('t.id = ANY($1::uuid[])', [...this.#waiting.keys()])
    const now = performance.now()
    for (const { id, mark } of rows) {
      const waiting = this.#waiting.get(id)
      if (!waiting || waiting.mark === mark) continue
      this.#waiting.delete(id)
      this.samples.push({ fault: waiting.fault, ms: now - waiting.since })
    }
  }

  /** Tasks that have not moved since their fault, with what it was. */
  get waiting(): { id: string; fault: string; ms: number }[] {
    const now = performance.now()
    return [...this.#waiting].map(([id, { fault, since }]) => ({ id, fault, ms: now - since }))
  }

  #read(where: string, value: unknown): Promise<{ id: string; mark: string }[]> {
    return this.#db.query(
      `SELECT t.id, t.status || ' ' || t.attempts_made || ' ' || coalesce((SELECT sum(a.last_seq + length(a.status)) FROM attempt a WHERE a.task_id = t.id), 0) AS mark
       FROM task t WHERE ${where}`,
      [value],
    )
  }
}

/** The value that `percent` of the numbers do not exceed; 0 when there are none. */
export function percentile(numbers: readonly number[], percent: number): number {
  const sorted = [...numbers].sort((a, b) => a - b)
  return sorted[Math.min(sorted.length - 1, Math.ceil((sorted.length * percent) / 100) - 1)] ?? 0
}
