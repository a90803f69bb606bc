import type { Database } from '../../core/storage/openDatabase.ts'
import type { Client } from './client.ts'
import type { Load } from './load.ts'
import type { Random } from './random.ts'
import { keyOf } from './work.ts'

/** Of a hundred questions, how many are never answered, and how many with no. */
const PERCENT_IGNORED = 5
const PERCENT_DENIED = 3

/**
 * The person who is asked: approves, denies or does not answer, decides what is not known, cancels, pauses, retries.
 * Reads the ledger and acts by the running APIs, one after the other.
 */
export class Person {
  /** How often each key was told to run again. An answer that was lost counts: it may have been taken. */
  readonly again = new Map<string, number>()
  /** While set, everything is answered, and nothing new is asked for. */
  finishing = false
  reviews = 0
  readonly #db: Database
  readonly #client: Client
  readonly #load: Load
  readonly #random: Random
  readonly #looked = new Set<string>()

  constructor(db: Database, client: Client, load: Load, random: Random) {
    this.#db = db
    this.#client = client
    this.#load = load
    this.#random = random
  }

  /** Looks at everything that waits for a person, once. */
  async look(): Promise<void> {
    await this.#decide()
    await this.#review()
    await this.#carryOut()
    if (this.finishing) return
    await this.#retry()
    await this.#giveUp()
    await this.#interrupt()
  }

  async #decide(): Promise<void> {
    const pending = await this.#db.query<{ id: string; plan_hash: string }>(
      "SELECT id, plan_hash FROM approval WHERE status = 'pending' AND expires_at > clock_timestamp() ORDER BY created_at",
    )
    for (const { id, plan_hash } of pending) {
      if (this.#looked.has(id)) continue
      if (this.#random.chance(PERCENT_IGNORED / 100)) this.#looked.add(id)
      if (this.#looked.has(id)) continue
      const decision = this.#random.chance(PERCENT_DENIED / 100) ? 'deny' : 'approve'
      await this.#client.post(`/v1/approvals/${id}/decide`, { decision, plan_hash })
    }
  }

  async #review(): Promise<void> {
    const rows = await this.#db.query<{ id: string; run_id: string; command: string }>(
      "SELECT id, run_id, spec->'params'->>'command' AS command FROM task WHERE status = 'needs_review'",
    )
    for (const { id, run_id, command } of rows) {
      const verdict = this.#random.chance(0.5) ? 'again' : 'skip'
      const keys = verdict === 'again' ? [keyOf(command) ?? ''] : []
      await this.#allowing(keys, `/v1/runs/${run_id}/review`, { task_id: id, verdict })
      this.reviews++
    }
  }

  async #carryOut(): Promise<void> {
    const { due } = this.#load
    const now = performance.now()
    for (const item of due.filter(({ at }) => at <= now || this.finishing)) {
      await this.#client.post(`/v1/runs/${item.runId}/${item.what}`)
      due.splice(due.indexOf(item), 1)
    }
  }

  /** Many of the failed runs are tried again. */
  async #retry(): Promise<void> {
    const failed = await this.#db.query<{ id: string; commands: string[] }>(
      `SELECT r.id, array_agg(t.spec->'params'->>'command') AS commands FROM run r JOIN task t ON t.run_id = r.id
       WHERE r.status = 'failed' AND r.ended_at > clock_timestamp() - interval '5 s' AND t.status IN ('failed', 'failed_timeout') GROUP BY r.id`,
    )
    for (const { id, commands } of failed) {
      if (this.#looked.has(id)) continue
      this.#looked.add(id)
      if (!this.#random.chance(0.5)) continue
      const keys = commands.map((command) => keyOf(command) ?? '')
      await this.#allowing(keys, `/v1/runs/${id}/retry`)
    }
  }

  /** A few of those whose machine is away are not waited for. */
  async #giveUp(): Promise<void> {
    const away = await this.#db.query<{ run_id: string }>(
      `SELECT DISTINCT t.run_id FROM task t JOIN agent a ON a.id = t.agent_id JOIN run r ON r.id = t.run_id
       WHERE t.status IN ('claimed', 'running') AND r.status IN ('running', 'paused') AND NOT a.connected
       AND a.disconnected_at < clock_timestamp() - interval '1 s'`,
    )
    for (const { run_id } of away) {
      if (this.#looked.has(run_id)) continue
      this.#looked.add(run_id)
      if (this.#random.chance(0.3)) await this.#client.post(`/v1/runs/${run_id}/cancel`)
    }
  }

  /** Some runs are cancelled while something is tried for what failed. */
  async #interrupt(): Promise<void> {
    const tried = await this.#db.query<{ id: string; run_id: string }>(
      "SELECT id, run_id FROM recovery WHERE status IN ('open', 'trying')",
    )
    for (const { id, run_id } of tried) {
      if (this.#looked.has(id)) continue
      this.#looked.add(id)
      if (this.#random.chance(0.1)) await this.#client.post(`/v1/runs/${run_id}/cancel`)
    }
  }

  /** Says something that lets works run once more, unless it was surely not taken. */
  async #allowing(keys: readonly string[], path: string, body: object = {}): Promise<void> {
    const add = (by: number): void => {
      for (const key of keys) this.again.set(key, (this.again.get(key) ?? 0) + by)
    }
    add(1)
    if (!(await this.#client.post(path, body))) add(-1)
  }
}
