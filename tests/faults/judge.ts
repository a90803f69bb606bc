import { readdirSync, readFileSync } from 'node:fs'
import { taskEnds } from '../../core/events/states.ts'
import type { Database } from '../../core/storage/openDatabase.ts'
import { actual, replayed } from '../support/fleet.ts'
import type { Load } from './load.ts'
import { type MindFigures, MindJudge } from './mind.ts'
import type { Person } from './person.ts'
import type { Proposal } from './thinker.ts'
import { type Effects, keyOf, printed } from './work.ts'

/** What must never happen, in words of the report. */
export const figures = {
  lost: 'lost',
  twice: 'twice',
  repeated: 'repeated',
  stuck: 'stuck',
  overlapping: 'overlapping',
  early: 'early',
  alive: 'alive after the end',
  replay: 'replay differs',
  unapproved: 'unapproved',
  answered: 'answered twice',
  forgotten: 'forgotten',
  remembered: 'remembered twice',
} as const
/** What happened of it: each a line with the task or attempt. */
export type Verdict = Record<keyof typeof figures, string[]>

export type Figures = {
  tasks: number
  attempts: number
  started: number
  statuses: Record<string, number>
  mind: MindFigures
}

type TaskRow = {
  id: string
  run_id: string
  status: string
  command: string
  executions: string[]
  output_lost: number | null
}

export class Judge {
  readonly verdict: Verdict = {
    ...{ lost: [], twice: [], repeated: [], stuck: [], overlapping: [], early: [], alive: [], replay: [] },
    ...{ unapproved: [], answered: [], forgotten: [], remembered: [] },
  }
  readonly mind: MindJudge
  readonly #db: Database
  readonly #effects: Effects

  constructor(db: Database, effects: Effects, proposals: readonly Proposal[]) {
    this.#db = db
    this.mind = new MindJudge(db, proposals)
    this.#effects = effects
  }

  /** What can be judged at any moment: nothing runs that the ledger says is gone, and no file has two owners. */
  async look(): Promise<void> {
    const alive = executionsAlive()
    const gone = await this.#db.query<{ id: string; task_id: string }>(
      `SELECT a.id, a.task_id FROM attempt a JOIN task t ON t.id = a.task_id WHERE a.id = ANY($1::uuid[])
       AND (a.exited_at < clock_timestamp() - interval '1 s' OR t.status = 'cancelled')`,
      [[...alive]],
    )
    if (gone.length > 0) {
      // A process that was ending while it was looked at is gone by now.
      const still = executionsAlive()
      for (const { id, task_id } of gone)
        if (still.has(id)) add(this.verdict.alive, `task ${task_id}: attempt ${id} runs after its end`)
    }
    const double = await this.#db.query<{ one: string; other: string; path: string }>(
      `SELECT a.task_id AS one, b.task_id AS other, a.path FROM file_ownership a JOIN file_ownership b
       ON a.machine_id = b.machine_id AND a.task_id < b.task_id
       AND (a.path = b.path OR starts_with(a.path, b.path || '/') OR starts_with(b.path, a.path || '/'))`,
    )
    for (const { one, other, path } of double)
      add(this.verdict.overlapping, `tasks ${one} and ${other} both own ${path}`)
  }

  /** Tasks and runs that have not ended. A run whose approval expired has: its tasks stay held for whoever asks again. */
  async open(): Promise<string[]> {
    const rows = await this.#db.query<{ line: string }>(
      `SELECT 'task ' || t.id || ' ' || t.status || coalesce(', waits for ' || t.waiting_for, '') || coalesce(', not before ' || greatest(0, ceil(extract(epoch FROM t.not_before - clock_timestamp()))) || ' s', '') || ', its run ' || r.status AS line FROM task t JOIN run r ON r.id = t.run_id
       WHERE NOT t.status = ANY($1) AND NOT (t.status = 'held' AND r.status = 'expired')
       UNION ALL SELECT 'run ' || id || ' ' || status FROM run WHERE status IN ('planning', 'awaiting_approval', 'running', 'paused', 'cancelling', 'force_cancelled')
       UNION ALL SELECT 'run ' || v.run_id || ' ' || r.status || ', its recovery ' || v.id || ' ' || v.status || ' (' || v.rung || ')' FROM recovery v JOIN run r ON r.id = v.run_id WHERE v.status IN ('open', 'trying')
       UNION ALL SELECT 'task ' || id || ' force_cancelled' FROM task WHERE status = 'force_cancelled' ORDER BY 1`,
      [taskEnds],
    )
    return rows.map(({ line }) => line)
  }

  /** The whole account, once everything has ended. */
  async settle(load: Load, person: Person): Promise<Figures> {
    const tasks = await this.#tasks()
    const lines = this.#effects.read()
    const starts = lines.filter(({ what }) => what === 'start')
    this.#startedOnce(starts, new Map(tasks.flatMap((t) => t.executions.map((id) => [id, t.id]))))
    this.#notRepeated(starts, load, person, new Map(tasks.map((t) => [keyOf(t.command) ?? '', t.id])))
    for (const { key, execution } of lines.filter(({ what }) => what === 'overlap'))
      add(this.verdict.overlapping, `${key}, attempt ${execution}: its file was in use`)
    this.#inOrder(lines, load)
    await this.#nothingLost(tasks, lines, load)
    await this.#replays()
    this.verdict.unapproved.push(...(await this.mind.unapproved()))
    this.verdict.answered.push(...(await this.mind.answered()))
    this.verdict.remembered.push(...(await this.mind.remembered()))
    const statuses: Record<string, number> = {}
    for (const { status } of tasks) statuses[status] = (statuses[status] ?? 0) + 1
    const attempts = tasks.reduce((sum, { executions }) => sum + executions.length, 0)
    return {
      tasks: tasks.length,
      attempts,
      started: starts.length,
      statuses,
      mind: await this.mind.figures(),
    }
  }

  #tasks(): Promise<TaskRow[]> {
    return this.#db.query<TaskRow>(
      `SELECT t.id, t.run_id, t.status, coalesce(t.spec->'params'->>'command', '') AS command, (t.result->>'output_lost')::int AS output_lost,
       coalesce((SELECT array_agg(a.id::text ORDER BY a.number) FROM attempt a WHERE a.task_id = t.id), '{}') AS executions FROM task t`,
    )
  }

  #startedOnce(starts: { key: string; execution: string }[], tasks: Map<string, string>): void {
    const seen = new Set<string>()
    for (const { key, execution } of starts) {
      if (seen.has(execution))
        add(this.verdict.twice, `task ${tasks.get(execution)} (${key}): attempt ${execution} started twice`)
      seen.add(execution)
      if (!tasks.has(execution))
        add(this.verdict.lost, `${key}: attempt ${execution} ran and is not in the ledger`)
    }
  }

  #notRepeated(starts: { key: string }[], load: Load, person: Person, tasks: Map<string, string>): void {
    const counts = new Map<string, number>()
    for (const { key } of starts) counts.set(key, (counts.get(key) ?? 0) + 1)
    for (const [key, count] of counts) {
      const asked = load.accepted.get(key) ?? load.unsure.get(key)
      const allowed = 1 + (person.again.get(key) ?? 0)
      if (asked?.effect === 'write' && count > allowed)
        add(
          this.verdict.repeated,
          `task ${tasks.get(key)} (${key}): started ${count} times, allowed ${allowed}`,
        )
    }
  }

  /** Whatever starts finds the ends of all it depends on above it. */
  #inOrder(lines: { key: string; what: string }[], load: Load): void {
    const ended = new Set<string>()
    for (const { key, what } of lines) {
      if (what === 'end') ended.add(key)
      if (what !== 'start') continue
      const asked = load.accepted.get(key) ?? load.unsure.get(key)
      for (const before of asked?.after ?? [])
        if (!ended.has(before)) add(this.verdict.early, `${key} started before ${before} had ended`)
    }
  }

  async #nothingLost(
    tasks: TaskRow[],
    lines: { key: string; execution: string; what: string }[],
    load: Load,
  ): Promise<void> {
    const byKey = new Map(tasks.map((task) => [keyOf(task.command), task]))
    const planned = new Set(tasks.map((task) => task.run_id))
    const ends = new Set(lines.flatMap(({ execution, what }) => (what === 'end' ? execution : [])))
    const unplanned = await this.#db.query<{ id: string }>(
      "SELECT id FROM run WHERE status IN ('failed', 'cancelled', 'refused')",
    )
    const over = new Set(unplanned.map(({ id }) => id))
    for (const [key, asked] of [...load.accepted, ...load.unsure]) {
      const task = byKey.get(key)
      if (!task && load.accepted.has(key) && (planned.has(asked.runId) || !over.has(asked.runId)))
        add(this.verdict.lost, `run ${asked.runId}: ${key} was accepted and is not there`)
      if (task?.status !== 'succeeded') continue
      const done = task.executions.find((id) => ends.has(id))
      if (!done) add(this.verdict.lost, `task ${task.id} (${key}) succeeded and has not run to its end`)
      else if (task.output_lost === 0 && (await this.#output(task)) !== printed(asked))
        add(this.verdict.lost, `task ${task.id} (${key}): lines of its output are missing`)
    }
  }

  async #output({ id }: TaskRow): Promise<string> {
    const [row] = await this.#db.query<{ text: string | null }>(
      `SELECT string_agg(l.text, '' ORDER BY l.seq) AS text FROM log_chunk l WHERE l.stream = 'stdout'
       AND l.attempt_id = (SELECT a.id FROM attempt a WHERE a.task_id = $1 AND a.status = 'exited' ORDER BY a.number DESC LIMIT 1)`,
      [id],
    )
    return row?.text ?? ''
  }

  async #replays(): Promise<void> {
    const [told, stands] = [await replayed({ db: this.#db }), await actual({ db: this.#db })]
    for (const name of new Set([...Object.keys(told), ...Object.keys(stands)]))
      if (told[name] !== stands[name])
        add(this.verdict.replay, `${name} is ${stands[name]}, its events say ${told[name]}`)
  }
}

function add(list: string[], line: string): void {
  if (!list.includes(line)) list.push(line)
}

/** The attempts that have a process on this machine, by the mark in its environment. */
function executionsAlive(): Set<string> {
  const found = readdirSync('/proc').flatMap((pid) => {
    if (!/^\d+$/.test(pid)) return []
    try {
      return (
        /SKYNET_EXECUTION_ID=([0-9a-f-]{36})/.exec(readFileSync(`/proc/${pid}/environ`, 'latin1'))?.[1] ?? []
      )
    } catch {
      return []
    }
  })
  return new Set(found)
}
