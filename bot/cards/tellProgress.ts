import { isRunEnd } from '../../core/events/states.ts'
import { type RunView, viewRun } from '../../core/runs/viewRun.ts'
import type { Sql, Tx } from '../../core/storage/sql.ts'
import { begun, progressDue, type Told, YOUNG_MS } from '../../core/talk/progress.ts'
import { sayCard } from '../delivery/say.ts'
import type { BotDeps } from '../turn.ts'

/** Runs looked at in one go. */
const MOST = 20

/**
 * Tells of a run's milestones, if it is time for a message: what was told, and when, is in the ledger, so that a restart
 * repeats nothing. Call it in the transaction of the announcement.
 */
export async function tellProgress(deps: Pick<BotDeps, 'bus'>, tx: Tx, run: RunView): Promise<void> {
  // What has ended tells its outcome.
  if (run.chatId === null || isRunEnd(run.status)) return
  const first = progressDue(run.milestones, await toldOf(tx, run))
  if (first === null) return
  await sayCard(
    tx,
    deps.bus,
    { chatId: run.chatId, topicId: run.topicId },
    {
      kind: 'milestone',
      runId: run.id,
      milestone: first,
      silent: true,
      key: `milestone:${run.id}:${run.planVersion}:${first}`,
    },
  )
}

async function toldOf(tx: Tx, run: RunView): Promise<Told> {
  const [row] = await tx.query<{ keys: string[]; ms: number | null; under_way: number | null }>(
    `SELECT coalesce(json_agg(c.milestone) FILTER (WHERE c.run_id = $1), '[]') AS keys,
       (extract(epoch FROM clock_timestamp() - max(c.created_at)) * 1000)::float8 AS ms,
       (extract(epoch FROM clock_timestamp() - $4::timestamptz) * 1000)::float8 AS under_way
     FROM run r JOIN card c ON c.run_id = r.id AND c.kind = 'milestone' AND c.chat_id = $2
     WHERE r.chat_id = $2 AND r.topic_id = $3 AND (r.id = $1 OR r.ended_at IS NULL OR r.ended_at > clock_timestamp() - interval '2 min')`,
    [run.id, run.chatId, run.topicId, begun(run.milestones)[0]?.startedAt ?? null],
  )
  return { keys: row?.keys ?? [], quietMs: row?.ms ?? null, underWayMs: row?.under_way ?? 0 }
}

/**
 * Tells of runs whose first milestones came when they had just begun, or while their chat had just been told of another
 * run.
 */
export async function tellLaterOnce(deps: BotDeps): Promise<void> {
  const rows = await deps.db.query<{ id: string }>(
    `SELECT r.id FROM run r WHERE r.status = 'running' AND r.chat_id IS NOT NULL
       AND EXISTS (SELECT 1 FROM plan p JOIN milestone m ON m.plan_id = p.id WHERE p.run_id = r.id AND p.version = r.plan_version
         AND m.started_at < clock_timestamp() - $1 * interval '1 ms')
       AND NOT EXISTS (SELECT 1 FROM card c WHERE c.run_id = r.id AND c.kind = 'milestone') LIMIT ${MOST}`,
    [YOUNG_MS],
  )
  for (const { id } of rows)
    await deps.db.tx(async (tx) => {
      const run = await viewRun(tx, id)
      if (run?.status === 'running') await tellProgress(deps, tx, run)
    })
}

/** Where the message after this one begins; null when it is the newest of its run. */
export async function nextTold(sql: Sql, cardId: string): Promise<string | null> {
  const [row] = await sql.query<{ milestone: string }>(
    `SELECT n.milestone FROM card c JOIN card n ON n.run_id = c.run_id AND n.chat_id = c.chat_id AND n.kind = 'milestone' AND n.created_at > c.created_at
     WHERE c.id = $1 ORDER BY n.created_at LIMIT 1`,
    [cardId],
  )
  return row?.milestone ?? null
}
