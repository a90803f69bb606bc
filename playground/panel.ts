import type { Deps } from '../core/deps.ts'
import type { ApprovalView, RunView, TaskView } from '../core/runs/viewRun.ts'
import { viewRun } from '../core/runs/viewRun.ts'
import type { PanelRow, PanelSource } from './server.ts'

/** The events that each row stands for, as patterns of LIKE. */
const eventsOf: Record<string, string[]> = {
  request: ['run.created'],
  plan: ['plan.%', 'run.plan', 'task.created'],
  verdict: ['task.created', 'run.refused'],
  approval: ['approval.%'],
  claim: ['attempt.claimed', 'task.claimed'],
  process: ['attempt.accepted', 'attempt.started', 'task.running'],
  exit: [
    'attempt.exited',
    'attempt.tree_exited',
    'attempt.lost',
    'attempt.cancel_asked',
    'task.succeeded',
    'task.failed%',
    'task.%cancelled',
    'task.needs_review',
  ],
}
const MAX_EVENTS = 50
/** Rows are shown for this many tasks, the newest. */
const MAX_TASKS = 8

/** What happens behind the newest run, from the ledger: request, plan, verdict, approval, claim, process, exit. */
export function ledgerPanel(deps: Pick<Deps, 'db' | 'bus'>): PanelSource {
  return {
    rows: () => panelRows(deps),
    detail: (id) => rowDetail(deps, id),
    subscribe: (onChange) => deps.bus.subscribe('run.changed', onChange),
  }
}

async function panelRows(deps: Pick<Deps, 'db'>): Promise<PanelRow[]> {
  const [newest] = await deps.db.query<{ id: string }>('SELECT id FROM run ORDER BY number DESC LIMIT 1')
  const run = newest ? await viewRun(deps.db, newest.id) : null
  if (!run) return []
  const approval = run.approvals.at(-1)
  const times = await timesOf(deps, run.id)
  return [
    requestRow(run),
    ...(run.source ? [planRow(run, times)] : []),
    ...(run.tasks.length > 0 ? [verdictRow(run, times)] : []),
    ...(approval ? [approvalRow(run, approval)] : []),
    ...run.tasks
      .filter((task) => task.attempts > 0)
      .slice(-MAX_TASKS)
      .flatMap((task) => taskRows(run, task, times)),
  ]
}

/** When the newest plan was made (key `plan`), and when each task was last claimed (by its id). */
type Times = ReadonlyMap<string, Date>

async function timesOf(deps: Pick<Deps, 'db'>, runId: string): Promise<Times> {
  const rows = await deps.db.query<{ key: string; at: Date }>(
    `SELECT coalesce(task_id::text, 'plan') AS key, max(at) AS at FROM event
     WHERE run_id = $1 AND type IN ('plan.made', 'attempt.claimed') GROUP BY 1`,
    [runId],
  )
  return new Map(rows.map(({ key, at }) => [key, at]))
}

/** Letters of a URL's path alone: the run, the stage, and the task where there is one. */
const idOf = (run: RunView, stage: string, task?: TaskView): string =>
  `${run.id}.${stage}${task ? `.${task.id}` : ''}`

const iso = (at: Date | null): string | null => at?.toISOString() ?? null

const requestRow = (run: RunView): PanelRow => ({
  id: idOf(run, 'request'),
  stage: 'request',
  title: `#${run.number} asked`,
  detail: run.request,
  state: 'done',
  at: iso(run.createdAt),
})

const planRow = (run: RunView, times: Times): PanelRow => ({
  id: idOf(run, 'plan'),
  stage: 'plan',
  title: `${run.tasks.length} ${run.tasks.length === 1 ? 'task' : 'tasks'} · ${run.source?.kind === 'playbook' ? `playbook ${run.source.name}` : (run.source?.kind ?? '')}`,
  detail: run.tasks.map((t) => `${t.key} ${t.title}`).join('\n'),
  state: 'done',
  at: iso(times.get('plan') ?? null),
})

const risks = ['low', 'medium', 'high', 'critical']
const verdicts = ['allow', 'ask', 'deny']
const severity = ({ verdict }: TaskView): number =>
  10 * verdicts.indexOf(verdict.verdict) + risks.indexOf(verdict.risk)

function verdictRow(run: RunView, times: Times): PanelRow {
  const [worst] = [...run.tasks].sort((a, b) => severity(b) - severity(a))
  const verdict = worst?.verdict
  return {
    id: idOf(run, 'verdict'),
    stage: 'verdict',
    title: `${verdict?.verdict} · ${verdict?.risk}`,
    detail: `${verdict?.rule}: ${verdict?.reason}`,
    state: verdict?.verdict === 'deny' ? 'bad' : 'done',
    at: iso(times.get('plan') ?? null),
  }
}

const approvalRow = (run: RunView, approval: ApprovalView): PanelRow => ({
  id: idOf(run, 'approval'),
  stage: 'approval',
  title: `${approval.code} ${approval.status}`,
  detail: `bound to plan ${approval.planHash.slice(0, 12)}…`,
  state: approval.status === 'pending' ? 'wait' : approval.status === 'approved' ? 'done' : 'bad',
  at: iso(approval.decidedAt),
})

function taskRows(run: RunView, task: TaskView, times: Times): PanelRow[] {
  const name = `${run.number}.${task.key}`
  const ended = task.endedAt !== null
  const claim: PanelRow = {
    id: idOf(run, 'claim', task),
    stage: 'claim',
    title: `${name} claimed`,
    detail: `for ${task.agentName}, attempt ${task.attempts}`,
    state: 'done',
    at: iso(times.get(task.id) ?? null),
  }
  const process: PanelRow = {
    id: idOf(run, 'process', task),
    stage: 'process',
    title: `${name} ${ended ? 'ran' : 'runs'}`,
    detail: [task.title, task.containment].filter(Boolean).join(' · '),
    state: ended ? 'done' : 'now',
    at: iso(task.startedAt),
  }
  const exit: PanelRow = {
    id: idOf(run, 'exit', task),
    stage: 'exit',
    title: `${name} ${task.status.replaceAll('_', ' ')}`,
    detail: exitOf(task),
    state: task.status === 'succeeded' ? 'done' : 'bad',
    at: iso(task.endedAt),
  }
  return [claim, ...(task.startedAt ? [process] : []), ...(ended ? [exit] : [])]
}

function exitOf({ result }: TaskView): string {
  if (!result) return ''
  return result.signal ? `signal ${result.signal}` : `exit ${result.exit_code ?? 'none'}`
}

/** The events behind a row; null for an id that no row has. */
async function rowDetail(deps: Pick<Deps, 'db'>, id: string): Promise<unknown> {
  const [runId = '', stage = '', taskId] = id.split('.')
  const types = eventsOf[stage]
  if (!types || ![runId, taskId ?? runId].every((uuid) => /^[0-9a-f-]{36}$/.test(uuid))) return null
  return deps.db.query(
    `SELECT seq, at, type, data FROM event WHERE run_id = $1 AND type LIKE ANY($2::text[])
     AND ($3::uuid IS NULL OR task_id = $3) ORDER BY seq LIMIT $4`,
    [runId, types, taskId ?? null, MAX_EVENTS],
  )
}
