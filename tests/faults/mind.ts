import type { Sql } from '../../core/storage/sql.ts'
import type { Proposal } from './thinker.ts'
import { keyOf } from './work.ts'

/** What came of language models, recovery and memory, for the report. */
export type MindFigures = {
  /** Runs that a model planned, and questions of which the ledger knows no end. */
  planned: number
  lostCalls: number
  /** Steps of recovery, by what they were and what came of them. */
  steps: Record<string, number>
  memories: number
  sources: number
}

const ends = "('succeeded', 'failed', 'cancelled', 'denied', 'refused')"

/** Runs that have an outcome to remember: not looks before planning, and something of them was done or decided. */
const memorable = `r.number > 0 AND r.status IN ${ends} AND EXISTS (
  SELECT 1 FROM task t JOIN plan p ON p.id = t.plan_id WHERE t.run_id = r.id AND (p.version = r.plan_version OR r.kind = 'api')
    AND (r.status IN ('denied', 'refused') OR t.status IN ('succeeded', 'failed', 'failed_timeout')))`

/** Judges what was thought, tried again and remembered, by the ledger and by what the model proposed. */
export class MindJudge {
  readonly #db: Sql
  readonly #proposals: readonly Proposal[]

  constructor(db: Sql, proposals: readonly Proposal[]) {
    this.#db = db
    this.#proposals = proposals
  }

  /** What should be remembered and is not: outcomes of runs, what failed in them, machines. */
  forgotten(): Promise<string[]> {
    return this.#lines(
      `SELECT 'run ' || r.id || ' ' || r.status || ': its outcome' AS line FROM run r WHERE ${memorable} AND NOT ${remembered("'run:' || r.id", 'task')}
       UNION ALL SELECT 'task ' || t.id || ': the failure of attempt ' || a.id FROM attempt a JOIN task t ON t.id = a.task_id JOIN run r ON r.id = t.run_id
       WHERE ${memorable} AND a.result->>'status' IN ('failed', 'timeout') AND a.ended_at <= r.ended_at AND NOT ${remembered("'attempt:' || a.id", 'failure')}
         AND NOT EXISTS (SELECT 1 FROM event e WHERE e.attempt_id = a.id AND e.type = 'attempt.lost')
       UNION ALL SELECT 'agent ' || a.id FROM agent a WHERE EXISTS (SELECT 1 FROM event e WHERE e.agent_id = a.id AND e.type = 'agent.connected') AND NOT ${remembered("'agent:' || a.id", 'snapshot')} ORDER BY 1`,
    )
  }

  /** What is remembered more often than it was, in two ways, or though it is nobody's business. */
  remembered(): Promise<string[]> {
    return this.#lines(
      `SELECT 'M' || m.id || ' (' || m.kind || ') says ' || m.times || ' times, and has ' || count(s.source) || ' sources' AS line
       FROM memory m LEFT JOIN memory_source s ON s.memory_id = m.id GROUP BY m.id HAVING m.times <> count(s.source)
       UNION ALL SELECT s.source || ' made ' || count(*) || ' memories (' || m.kind || ')' FROM memory_source s JOIN memory m ON m.id = s.memory_id
       WHERE m.kind IN ('task', 'failure', 'snapshot') GROUP BY s.source, m.kind HAVING count(*) > 1
       UNION ALL SELECT 'run ' || r.id || ' is remembered, and ' || CASE WHEN r.number < 0 THEN 'only looked' ELSE 'is ' || r.status END
       FROM memory_source s JOIN run r ON s.source = 'run:' || r.id WHERE r.number < 0 OR NOT r.status IN ${ends}`,
    )
  }

  /** Tasks that were handed out although policy asks about them and nobody had said yes to just that step of a plan. */
  unapproved(): Promise<string[]> {
    return this.#lines(
      `SELECT 'task ' || t.id || ' was handed out, and ' || (t.verdict->>'verdict') || ' is what policy says' AS line
       FROM task t CROSS JOIN LATERAL (SELECT min(e.seq) AS seq FROM event e WHERE e.task_id = t.id AND e.type = 'task.claimed') claim
       WHERE claim.seq IS NOT NULL AND t.verdict->>'verdict' <> 'allow' AND (t.verdict->>'verdict' = 'deny' OR NOT EXISTS (
         SELECT 1 FROM approval p JOIN plan v ON v.id = p.plan_id JOIN event e ON e.approval_id = p.id AND e.type = 'approval.approved'
         WHERE p.run_id = t.run_id AND p.status = 'approved' AND p.plan_hash = v.plan_hash AND e.seq < claim.seq AND EXISTS (
           SELECT 1 FROM jsonb_array_elements(v.spec->'tasks') step WHERE step->>'key' = t.key AND step->'spec'->'params' = t.spec->'params')))`,
    )
  }

  /** Failures for which two things were tried at a time, answers that were taken twice or mixed, plans made twice. */
  async answered(): Promise<string[]> {
    return [...(await this.#twoAtATime()), ...(await this.#mixed()), ...(await this.#plannedTwice())]
  }

  async figures(): Promise<MindFigures> {
    const steps = await this.#db.query<{ what: string; n: number }>(
      "SELECT rung || CASE WHEN rung = 'ask' THEN '' ELSE ' ' || status || coalesce(' (' || came_of || ')', '') END AS what, count(*)::int AS n FROM recovery GROUP BY 1 ORDER BY 1",
    )
    const [row] = await this.#db.query<Omit<MindFigures, 'steps'>>(
      `SELECT (SELECT count(*)::int FROM plan WHERE version = 1 AND source->>'kind' = 'model') AS planned,
         (SELECT count(*)::int FROM model_call WHERE ended_at IS NULL) AS "lostCalls",
         (SELECT count(*)::int FROM memory) AS memories, (SELECT count(*)::int FROM memory_source) AS sources`,
    )
    const none = { planned: 0, lostCalls: 0, memories: 0, sources: 0 }
    return { ...(row ?? none), steps: Object.fromEntries(steps.map(({ what, n }) => [what, n])) }
  }

  /** By the events: a step begins for a failure while another one is under way. */
  async #twoAtATime(): Promise<string[]> {
    const events = await this.#db.query<{ type: string; task_id: string; id: string; to: string }>(
      `SELECT type, task_id, data->>'recovery_id' AS id, coalesce(data->>'to', data->>'status') AS to FROM event
       WHERE type LIKE 'recovery.%' ORDER BY xid, seq`,
    )
    const active = new Map<string, string>()
    return events.flatMap(({ type, task_id, id, to }) => {
      const other = active.get(task_id)
      if (['open', 'trying', 'asked'].includes(to)) active.set(task_id, id)
      else if (other === id) active.delete(task_id)
      return type === 'recovery.begun' && other !== undefined
        ? [`task ${task_id}: recovery ${id} began beside ${other}`]
        : []
    })
  }

  /** Each answer is taken by one step of recovery, whole, or not at all. */
  async #mixed(): Promise<string[]> {
    const rows = await this.#db.query<{ id: string; commands: string[] }>(
      `SELECT v.id, array_agg(t.spec->'params'->>'command' ORDER BY t.position) AS commands
       FROM recovery v JOIN task t ON t.recovery_id = v.id WHERE v.by = 'model' GROUP BY v.id`,
    )
    const answers = new Map(this.#proposals.map(({ keys }) => [keys.join(), false]))
    return rows.flatMap(({ id, commands }) => {
      const keys = commands.map((command) => keyOf(command) ?? command).join()
      const taken = answers.get(keys)
      answers.set(keys, true)
      if (taken === undefined) return [`recovery ${id} has steps that no answer had: ${keys}`]
      return taken ? [`recovery ${id} has the steps of another: ${keys}`] : []
    })
  }

  #plannedTwice(): Promise<string[]> {
    return this.#lines(
      `SELECT 'run ' || t.run_id || ': ' || (t.spec->'params'->>'command') || ' was planned ' || count(*) || ' times' AS line
       FROM task t JOIN run r ON r.id = t.run_id WHERE r.kind = 'request' AND r.number > 0 AND t.recovery_id IS NULL
       GROUP BY t.run_id, t.spec->'params'->>'command' HAVING count(*) > 1`,
    )
  }

  async #lines(sql: string): Promise<string[]> {
    return (await this.#db.query<{ line: string }>(sql)).map(({ line }) => line)
  }
}

/** In SQL: whether a source has made a memory of a kind. */
const remembered = (source: string, kind: string): string =>
  `EXISTS (SELECT 1 FROM memory_source s JOIN memory m ON m.id = s.memory_id WHERE s.source = ${source} AND m.kind = '${kind}')`
