import { type LedgerEvent, newestCursor, readEventPage } from '../../core/events/readEvents.ts'
import { machines, runEnds, taskEnds } from '../../core/events/states.ts'
import { type Latencies, readLatencies } from '../../core/runs/readLatencies.ts'
import type { Sql } from '../../core/storage/sql.ts'
import { Counter, Histogram } from './series.ts'

const BATCH = 500
/** Pages read for one scrape at most; what is left is read for the next. */
const MAX_PAGES = 40
const seconds = [0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 5, 10, 30, 60, 300, 1800]

const ends = {
  run: new Set<string>(runEnds.map((status) => `run.${status}`)),
  task: new Set<string>(taskEnds.map((status) => `task.${status}`)),
}
const types = [
  ...ends.run,
  ...ends.task,
  ...Object.keys(machines.attempt).map((status) => `attempt.${status}`),
]

/**
 * What the ledger's events add up to since this process began, counted from the events themselves, so
 * that it does not matter which process did the work. Each API process counts all of it: take the maximum of several,
 * not the sum.
 */
export class LedgerMetrics {
  readonly #runs = new Counter('skynet_runs_ended_total', 'Runs that ended, by status.')
  readonly #tasks = new Counter('skynet_tasks_ended_total', 'Tasks that ended, by status.')
  readonly #attempts = new Counter('skynet_attempts_total', 'Attempts that came to a status.')
  readonly #lost = new Counter(
    'skynet_claims_lost_total',
    'Claims that were lost, or given back undelivered.',
  )
  readonly #claim = new Histogram('skynet_claim_seconds', 'From queued to claimed.', seconds)
  readonly #dispatch = new Histogram(
    'skynet_dispatch_seconds',
    'From claimed to accepted by the agent.',
    seconds,
  )
  #cursor: string | null = null
  #reading: Promise<void> = Promise.resolve()

  /** What is written from now on counts. */
  async begin(sql: Sql): Promise<void> {
    this.#cursor ??= await newestCursor(sql)
  }

  /** Reads what is new. One scrape at a time: each event counts once. */
  async lines(sql: Sql): Promise<string[]> {
    const reading = this.#reading.catch(() => {}).then(() => this.#read(sql))
    this.#reading = reading
    await reading
    return [this.#runs, this.#tasks, this.#attempts, this.#lost, this.#claim, this.#dispatch].flatMap((one) =>
      one.lines(),
    )
  }

  async #read(sql: Sql): Promise<void> {
    let cursor = this.#cursor ?? (await newestCursor(sql))
    for (let pages = 0; pages < MAX_PAGES; pages++) {
      const page = await readEventPage(sql, cursor, BATCH, types)
      const latencies = await this.#latenciesOf(sql, page.events)
      for (const event of page.events) this.#count(event, latencies)
      this.#cursor = cursor = page.cursor
      if (!page.more) return
    }
  }

  async #latenciesOf(sql: Sql, events: readonly LedgerEvent[]): Promise<Map<string, Latencies>> {
    const ids = events.flatMap(({ type, attempt_id }) => (type === 'attempt.accepted' && attempt_id) || [])
    const rows = ids.length === 0 ? [] : await readLatencies(sql, ids)
    return new Map(rows.map((row) => [row.id, row]))
  }

  #count({ type, attempt_id }: LedgerEvent, latencies: ReadonlyMap<string, Latencies>): void {
    const status = type.slice(type.indexOf('.') + 1)
    if (ends.run.has(type)) this.#runs.add({ status })
    else if (ends.task.has(type)) this.#tasks.add({ status })
    else this.#attempts.add({ status })
    if (type === 'attempt.lost' || type === 'attempt.released') this.#lost.add({ how: status })
    const took = type === 'attempt.accepted' ? latencies.get(attempt_id ?? '') : undefined
    // Negative: it was queued again meanwhile, and says nothing about this claim.
    if (took?.claim != null && took.claim >= 0) this.#claim.observe({}, took.claim)
    if (took?.dispatch != null) this.#dispatch.observe({}, took.dispatch)
  }
}
