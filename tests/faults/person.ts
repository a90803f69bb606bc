import { decideApproval } from '../../core/approvals/decideApproval.ts'
import type { Deps } from '../../core/deps.ts'
import { meetPerson, setRole } from '../../core/people/people.ts'
import { cancelRun, pauseRun, resumeRun } from '../../core/runs/cancelRun.ts'
import { retryTask } from '../../core/runs/retryTask.ts'
import { reviewTask } from '../../core/runs/reviewTask.ts'
import type { Load } from './load.ts'
import type { Random } from './random.ts'
import { keyOf } from './work.ts'

/** The person who is asked: approves, denies or does not answer, decides what is not known, cancels, pauses, retries. */
export class Person {
  /** How often each key was told to run again. An answer that was lost counts: it may have been taken. */
  readonly again = new Map<string, number>()
  /** While set, everything is answered, and nothing new is asked for. */
  finishing = false
  reviews = 0
  readonly #deps: Deps
  readonly #load: Load
  readonly #random: Random
  readonly #looked = new Set<string>()
  #id: string | null = null

  constructor(deps: Deps, load: Load, random: Random) {
    this.#deps = deps
    this.#load = load
    this.#random = random
  }

  /** Looks at everything that waits for a person, once. */
  async look(): Promise<void> {
    const id = await this.#own()
    await this.#decide(id)
    await this.#review(id)
    await this.#carryOut(id)
    if (!this.finishing) await this.#retry(id)
  }

  async #own(): Promise<string> {
    if (this.#id) return this.#id
    const { id } = await meetPerson(this.#deps.db, { id: 1_000_001, name: 'Ana' }, [])
    await setRole(this.#deps.db, id, 'owner', null)
    this.#id = id
    return id
  }

  async #decide(personId: string): Promise<void> {
    const { db } = this.#deps
    const pending = await db.query<{ id: string; plan_hash: string }>(
      "SELECT id, plan_hash FROM approval WHERE status = 'pending' ORDER BY created_at",
    )
    for (const { id: approvalId, plan_hash: planHash } of pending) {
      if (this.#looked.has(approvalId)) continue
      if (this.#random.chance(0.03)) this.#looked.add(approvalId)
      if (this.#looked.has(approvalId)) continue
      const decision = this.#random.chance(0.03) ? 'denied' : 'approved'
      await db.tx((tx) => decideApproval(this.#deps, tx, { approvalId, personId, decision, planHash }))
    }
  }

  async #review(personId: string): Promise<void> {
    const { db } = this.#deps
    const rows = await db.query<{ id: string; run_id: string; command: string }>(
      "SELECT id, run_id, spec->'params'->>'command' AS command FROM task WHERE status = 'needs_review'",
    )
    for (const { id: taskId, run_id: runId, command } of rows) {
      const verdict = this.#random.chance(0.5) ? 'again' : 'skip'
      if (verdict === 'again') this.#allow(command)
      await db.tx((tx) => reviewTask(this.#deps, tx, { runId, taskId }, verdict, personId))
      this.reviews++
    }
  }

  async #carryOut(personId: string): Promise<void> {
    const { due } = this.#load
    const now = performance.now()
    for (const item of due.filter(({ at }) => at <= now || this.finishing)) {
      const { runId } = item
      await this.#deps.db.tx((tx): Promise<unknown> => {
        if (item.what === 'cancel') return cancelRun(this.#deps, tx, runId, personId)
        return (item.what === 'pause' ? pauseRun : resumeRun)(this.#deps, tx, runId, personId)
      })
      due.splice(due.indexOf(item), 1)
    }
  }

  /** A few of the failed runs are tried again. */
  async #retry(personId: string): Promise<void> {
    const { db } = this.#deps
    const failed = await db.query<{ id: string; commands: string[] }>(
      `SELECT r.id, array_agg(t.spec->'params'->>'command') AS commands FROM run r JOIN task t ON t.run_id = r.id
       WHERE r.status = 'failed' AND r.ended_at > clock_timestamp() - interval '5 s' AND t.status IN ('failed', 'failed_timeout') GROUP BY r.id`,
    )
    for (const { id: runId, commands } of failed) {
      if (this.#looked.has(runId)) continue
      this.#looked.add(runId)
      if (!this.#random.chance(0.3)) continue
      for (const command of commands) this.#allow(command)
      await db.tx((tx) => retryTask(this.#deps, tx, runId, null, personId))
    }
  }

  #allow(command: string): void {
    const key = keyOf(command) ?? ''
    this.again.set(key, (this.again.get(key) ?? 0) + 1)
  }
}
