import type { Deps } from '../deps.ts'
import { clip } from '../planning/clip.ts'
import type { Sql } from '../storage/sql.ts'
import { describeStep } from './describeStep.ts'
import { likeStep } from './failureMemories.ts'
import { isOutside } from './isOutside.ts'
import { changedByOthers, type PastRun, type PastStep } from './pastRun.ts'
import { storeMemory } from './storeMemory.ts'

/** Steps between a failure and the success after it that are told, at most. */
const MAX_BETWEEN = 6
const MAX_STEP = 200

type Ended = Pick<PastStep, 'spec' | 'status' | 'agentId' | 'cwd'> &
  Pick<PastRun, 'chatId' | 'personId' | 'request' | 'source' | 'changedByOthers'> & { effect: string }

/**
 * What mended a failure: where a step of this run worked that had failed before, in the same place, the changes made
 * there in between. One that worked without any is remembered as that.
 */
export async function rememberStrategies(
  deps: Pick<Deps, 'redact'>,
  tx: Sql,
  run: PastRun,
  steps: readonly PastStep[],
): Promise<void> {
  for (const step of steps) {
    if (step.status !== 'succeeded' || !step.endedAt) continue
    const between = await sinceFailure(tx, run, step, step.endedAt)
    if (between) await rememberStrategy(deps, tx, { run, step, at: step.endedAt, between })
  }
}

/** The attempts in a place before a step worked, back to the one at which it failed last; null where it had not. */
async function sinceFailure(tx: Sql, run: PastRun, step: PastStep, at: Date): Promise<Ended[] | null> {
  const rows = await tx.query<Ended & { result: string }>(
    `SELECT t.spec, t.agent_id AS "agentId", t.cwd, t.effect, a.result->>'status' AS result, r.chat_id AS "chatId",
       r.person_id AS "personId", r.request, p.source, ${changedByOthers}
     FROM attempt a JOIN task t ON t.id = a.task_id JOIN run r ON r.id = t.run_id JOIN plan p ON p.id = t.plan_id
     WHERE a.agent_id = $1 AND a.claimed_at > $2::timestamptz - interval '30 days' AND a.ended_at < $2 AND a.result IS NOT NULL
       AND (t.cwd = $3 OR starts_with(t.cwd, $3 || '/') OR starts_with($3, t.cwd || '/')) AND r.chat_id IS NOT DISTINCT FROM $4
       AND NOT (t.id = $5 AND a.result->>'status' = 'succeeded')
     ORDER BY a.claimed_at DESC LIMIT 50`,
    [step.agentId, at.toISOString(), step.cwd, run.chatId, step.id],
  )
  const same = JSON.stringify(likeStep(run, step))
  const last = rows.findIndex((row) => JSON.stringify(likeStep(row, row)) === same)
  if (last < 0 || rows[last]?.result === 'succeeded') return null
  return rows
    .slice(0, last)
    .filter((row) => row.result === 'succeeded' && row.effect === 'write')
    .reverse()
}

type Mended = { run: PastRun; step: PastStep; at: Date; between: readonly Ended[] }

async function rememberStrategy(
  deps: Pick<Deps, 'redact'>,
  tx: Sql,
  { run, step, at, between }: Mended,
): Promise<void> {
  const changes = between.slice(-MAX_BETWEEN).map(({ spec }) => clip(describeStep(spec), MAX_STEP))
  const what = clip(describeStep(step.spec), MAX_STEP)
  const text =
    changes.length === 0
      ? `worked when it was run again, with nothing done here in between.`
      : `worked after: ${changes.join('; ')}.`
  await storeMemory(deps, tx, {
    kind: 'strategy',
    like: [...likeStep(run, step), ...changes],
    text: `On ${run.machine ?? 'a machine'} in ${step.cwd} this had failed: ${what}\nIt ${text}`,
    outside: isOutside(run) || between.some(isOutside),
    succeeded: true,
    personId: run.personId,
    chatId: run.chatId,
    agentId: step.agentId,
    cwd: step.cwd,
    runId: run.id,
    source: `task:${step.id}`,
    at,
  })
}
