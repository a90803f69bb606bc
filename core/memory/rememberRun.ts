import type { Deps } from '../deps.ts'
import type { TaskStatus } from '../events/states.ts'
import { clip } from '../planning/clip.ts'
import type { PlanSource } from '../planning/planOutcome.ts'
import { tidyRequest } from '../planning/tidyRequest.ts'
import type { TaskSpec } from '../protocol/specs.ts'
import type { Sql } from '../storage/sql.ts'
import { describeStep } from './describeStep.ts'
import { errorLines } from './errorLines.ts'
import { type NewMemory, storeMemory } from './storeMemory.ts'

export type PastRun = {
  id: string
  number: number
  kind: string
  status: string
  request: string
  personId: string | null
  chatId: number | null
  agentId: string | null
  cwd: string | null
  error: { message?: string; rule?: string } | null
  source: PlanSource | null
  machine: string | null
}
export type PastStep = {
  id: string
  status: TaskStatus
  spec: TaskSpec
  agentId: string
  cwd: string
  exitCode: number | null
  said: string | null
  error: string | null
}

/** A person's own words of one line are theirs; longer ones may have been pasted from anywhere. */
const OWN_WORDS = 300

/** What is remembered of a run that has ended, in the transaction of the caller. The same run again: the same memories. */
export async function rememberRun(
  deps: Pick<Deps, 'redact'>,
  tx: Sql,
  runId: string,
  at: Date,
): Promise<void> {
  const run = await readRun(tx, runId)
  if (!run || run.source?.kind === 'look' || !Object.hasOwn(endings, run.status)) return
  const steps = await readSteps(tx, runId)
  for (const memory of memoriesOf(run, steps, at)) await storeMemory(deps, tx, memory)
}

/** What a run leaves to be remembered. Pure. */
export function memoriesOf(run: PastRun, steps: readonly PastStep[], at: Date): NewMemory[] {
  const task = taskMemory(run, steps, at)
  return task ? [task] : []
}

/** Whether the words that a run has came from elsewhere: a program's, pasted ones, or by a plan made with such in view. */
export const isOutside = (run: Pick<PastRun, 'personId' | 'request' | 'source'>): boolean =>
  run.personId === null ||
  run.request.length > OWN_WORDS ||
  run.request.trim().includes('\n') ||
  run.source?.kind === 'api' ||
  (run.source?.kind === 'model' && (run.source.from?.length ?? 0) > 0)

/** How a run can end, in words; one that goes on again is remembered at its next end. */
const endings: Record<string, string> = {
  succeeded: 'It worked.',
  failed: 'It failed',
  denied: 'The plan was denied by a person.',
  refused: 'Policy refused the plan',
  cancelled: 'It was cancelled.',
}

function taskMemory(run: PastRun, steps: readonly PastStep[], at: Date): NewMemory | null {
  const done = steps.filter(({ status }) => status === 'succeeded' || status.startsWith('failed'))
  const planned = run.status === 'denied' || run.status === 'refused'
  if (done.length === 0 && !(planned && steps.length > 0)) return null
  const failed = done.find(({ status }) => status !== 'succeeded')
  const first = steps[0]
  const [agentId, cwd] = [run.agentId ?? first?.agentId ?? null, run.cwd ?? first?.cwd ?? null]
  return {
    kind: 'task',
    like: [agentId, cwd, run.chatId, tidyRequest(run.request).toLowerCase()],
    text: [
      `Asked: ${clip(run.request, 400)}`,
      `On ${run.machine ?? 'a machine'} in ${cwd ?? '/'}. ${planned ? 'Planned' : 'Done'}: ${stepsLine(planned ? steps : done)}.`,
      endingLine(run, failed),
    ].join('\n'),
    seen: failed?.said ? errorLines(failed.said) : null,
    outside: isOutside(run),
    succeeded: run.status === 'succeeded',
    personId: run.personId,
    chatId: run.chatId,
    agentId,
    cwd,
    runId: run.id,
    source: `run:${run.id}`,
    at,
  }
}

const MAX_STEPS = 12

function stepsLine(steps: readonly PastStep[]): string {
  const lines = steps.slice(0, MAX_STEPS).map((step) => {
    const how = step.status === 'succeeded' ? 'ok' : step.status.startsWith('failed') ? failing(step) : ''
    return `${clip(describeStep(step.spec), 160)}${how ? ` (${how})` : ''}`
  })
  const more = steps.length - lines.length
  return `${lines.join('; ')}${more > 0 ? `; and ${more} more` : ''}`
}

const failing = ({ status, exitCode }: PastStep): string =>
  status === 'failed_timeout' ? 'took too long' : exitCode === null ? 'failed' : `exit ${exitCode}`

function endingLine(run: PastRun, failed: PastStep | undefined): string {
  const ending = endings[run.status] ?? ''
  if (run.status === 'failed')
    return `${ending}${failed ? ` at: ${clip(describeStep(failed.spec), 160)}` : ''}.`
  if (run.status === 'refused') return `${ending}${run.error?.rule ? ` by rule ${run.error.rule}` : ''}.`
  return ending
}

async function readRun(tx: Sql, runId: string): Promise<PastRun | undefined> {
  const [run] = await tx.query<PastRun>(
    `SELECT r.id, r.number, r.kind, r.status, r.request, r.person_id AS "personId", r.chat_id AS "chatId", r.agent_id AS "agentId",
       r.cwd, r.error, p.source, (SELECT a.name FROM agent a WHERE a.id = coalesce(r.agent_id,
         (SELECT t.agent_id FROM task t WHERE t.plan_id = p.id ORDER BY t.position LIMIT 1))) AS machine
     FROM run r LEFT JOIN plan p ON p.run_id = r.id AND p.version = r.plan_version WHERE r.id = $1`,
    [runId],
  )
  return run
}

const MAX_READ = 100

const readSteps = (tx: Sql, runId: string): Promise<PastStep[]> =>
  tx.query<PastStep>(
    `SELECT t.id, t.status, t.spec, t.agent_id AS "agentId", t.cwd, (t.result->>'exit_code')::int AS "exitCode",
       t.result->>'summary' AS said, t.result->>'error' AS error
     FROM task t JOIN run r ON r.id = t.run_id JOIN plan p ON p.id = t.plan_id
     WHERE t.run_id = $1 AND (p.version = r.plan_version OR r.kind = 'api') ORDER BY t.position, t.created_at LIMIT ${MAX_READ}`,
    [runId],
  )
