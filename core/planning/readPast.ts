import type { Deps } from '../deps.ts'
import { cutLog, defaultBudget } from '../recovery/cutLog.ts'
import { readTaskLog } from '../recovery/readTaskLog.ts'
import { triedFor } from '../recovery/triedFor.ts'
import { shownIn } from '../runs/shownIn.ts'
import type { Sql } from '../storage/sql.ts'
import { type EndedTask, lastTests } from './lastTests.ts'
import { asksAboutTests, type PlaceFacts } from './planRequest.ts'
import { recallFor } from './recallFor.ts'
import type { Untrusted } from './untrusted.ts'

/** A task of the place's past, with the run it belongs to. */
type PastTask = EndedTask & {
  id: string
  runNumber: number
  chatId: number | null
  title: string
  error: string | null
}

/** Runs that are looked back over, and tasks of theirs. */
const RUNS = 200
const TASKS = 40

/** The tasks that ended last in a directory and below it, and may be shown in the chat, the newest first. */
function readPast(sql: Sql, agentId: string, directory: string, chatId: number | null): Promise<PastTask[]> {
  return sql.query<PastTask>(
    `SELECT t.id, t.action, t.status, t.title, t.spec->'params'->>'command' AS command, t.result->>'summary' AS summary,
       t.result->>'error' AS error, r.number AS "runNumber", r.chat_id AS "chatId"
     FROM task t JOIN run r ON r.id = t.run_id
     WHERE r.number > (SELECT max(number) FROM run) - $3 AND r.number > 0 AND t.agent_id = $1 AND t.result IS NOT NULL AND ${shownIn('r', '$5')}
       AND (t.cwd = $2 OR starts_with(t.cwd, $2 || '/'))
     ORDER BY t.ended_at DESC NULLS LAST LIMIT $4`,
    [agentId, directory, RUNS, TASKS, chatId ?? 0],
  )
}

/** What failed last in a chat, as the context of a question to the model, its log cut; undefined when nothing did. */
async function describeFailure(
  sql: Sql,
  past: readonly PastTask[],
  chatId: number | null,
): Promise<Untrusted | undefined> {
  const failed = past.find((task) => task.chatId === chatId && /^failed/.test(task.status))
  if (!failed) return undefined
  const log = await readTaskLog(sql, failed.id, defaultBudget)
  const tried = await triedFor(sql, failed.id)
  const text = [
    `What failed last in this place, in run #${failed.runNumber}: ${failed.command ?? failed.title}`,
    `It ended with: ${failed.error ?? failed.status}. Its output:`,
    log === '' ? cutLog(failed.summary) : log,
    ...(tried.length > 0 ? ['What was tried for it and did not help:', ...tried] : []),
  ].join('\n')
  return { origin: `log of #${failed.runNumber}`, text }
}

const speaksOfFailure = /\b(?:fix|mend|repair|solve|debug|fail|broke|error|wrong|crash)/i

/**
 * The place with how its tests ended, and for a model the memories that matter most and what failed there last in the
 * chat. Looked up only for requests that it matters to.
 */
export async function pastFor(
  deps: Pick<Deps, 'db' | 'model' | 'playbooks' | 'memory' | 'clock' | 'log'>,
  run: { request: string; chat_id: number | null; person_id: string | null },
  place: PlaceFacts,
  signal?: AbortSignal,
): Promise<{ place: PlaceFacts; context?: readonly Untrusted[] | undefined }> {
  const forModel = deps.model !== null && speaksOfFailure.test(run.request)
  const memories = deps.model === null ? [] : await recallFor(deps, run, place, forModel, signal)
  if (!forModel && !asksAboutTests(deps.playbooks, run.request)) return withContext(place, memories)
  const past = await readPast(deps.db, place.agentId, place.repository?.path ?? place.cwd, run.chat_id)
  const known = { ...place, lastTests: lastTests(past) }
  const failure = forModel ? await describeFailure(deps.db, past, run.chat_id) : undefined
  return withContext(known, failure ? [failure, ...memories] : memories)
}

const withContext = (place: PlaceFacts, context: readonly Untrusted[]) =>
  context.length > 0 ? { place, context } : { place }
