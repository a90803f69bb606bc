import type { Deps } from '../core/deps.ts'
import { viewRun } from '../core/runs/viewRun.ts'
import type { PanelRow, PanelSource } from './server.ts'

/** What happens behind the newest run, from the ledger: request, plan, verdict, approval, claim, process, exit. */
export function ledgerPanel(deps: Pick<Deps, 'db' | 'bus'>): PanelSource {
  return {
    rows: () => panelRows(deps),
    detail: async (id) => {
      const [runId, types] = id.split('|')
      if (!runId || !/^[0-9a-f-]{36}$/.test(runId)) return null
      return deps.db.query(
        'SELECT seq, type, data, at FROM event WHERE run_id = $1 AND type LIKE ANY($2::text[]) ORDER BY seq LIMIT 50',
        [runId, (types ?? '').split(',').filter((t) => /^[a-z.%_]+$/.test(t))],
      )
    },
    subscribe: (onChange) => deps.bus.subscribe('run.changed', onChange),
  }
}

type Row = Omit<PanelRow, 'id'> & { events: string }

async function panelRows(deps: Pick<Deps, 'db'>): Promise<PanelRow[]> {
  const [newest] = await deps.db.query<{ id: string }>('SELECT id FROM run ORDER BY number DESC LIMIT 1')
  const run = newest ? await viewRun(deps.db, newest.id) : null
  if (!run) return []
  const approval = run.approvals.at(-1)
  const worst =
    run.tasks.find((t) => t.verdict.verdict === 'deny') ??
    run.tasks.find((t) => t.verdict.verdict === 'ask') ??
    run.tasks[0]
  const iso = (at: Date | null | undefined) => at?.toISOString() ?? null
  const rows: Row[] = [
    {
      stage: 'request',
      title: `#${run.number} asked`,
      detail: run.request,
      state: 'done',
      at: iso(run.createdAt),
      events: 'run.created',
    },
  ]
  if (run.source)
    rows.push({
      stage: 'plan',
      title: `${run.tasks.length} ${run.tasks.length === 1 ? 'task' : 'tasks'} · ${run.source.kind}`,
      detail: run.tasks.map((t) => `${t.key} ${t.title}`).join(' · '),
      state: 'done',
      at: null,
      events: 'plan.%,task.created',
    })
  if (worst)
    rows.push({
      stage: 'verdict',
      title: `${worst.verdict.verdict} · ${worst.verdict.risk}`,
      detail: `${worst.verdict.rule}: ${worst.verdict.reason}`,
      state: worst.verdict.verdict === 'deny' ? 'bad' : 'done',
      at: null,
      events: 'task.created,run.refused',
    })
  if (approval)
    rows.push({
      stage: 'approval',
      title: `${approval.code} ${approval.status}`,
      detail: `bound to plan ${approval.planHash.slice(0, 12)}…`,
      state: approval.status === 'pending' ? 'wait' : approval.status === 'approved' ? 'done' : 'bad',
      at: iso(approval.decidedAt),
      events: 'approval.%',
    })
  for (const task of run.tasks.filter((t) => t.attempts > 0).slice(0, 8)) {
    const ok = task.status === 'succeeded'
    rows.push({
      stage: 'claim',
      title: `${run.number}.${task.key} claimed`,
      detail: `for ${task.agentName}, attempt ${task.attempts}`,
      state: 'done',
      at: null,
      events: 'attempt.claimed,task.claimed',
    })
    if (task.startedAt)
      rows.push({
        stage: 'process',
        title: `${run.number}.${task.key} ${task.endedAt ? 'ran' : 'runs'}`,
        detail: `${task.title} · ${task.containment ?? ''}`,
        state: task.endedAt ? 'done' : 'now',
        at: iso(task.startedAt),
        events: 'attempt.started,task.running',
      })
    if (task.endedAt)
      rows.push({
        stage: 'exit',
        title: `${run.number}.${task.key} ${task.status}`,
        detail: task.result ? `exit ${task.result.exit_code ?? task.result.signal ?? '-'}` : '',
        state: ok ? 'done' : 'bad',
        at: iso(task.endedAt),
        events: 'attempt.exited,attempt.tree_exited,task.succeeded,task.failed,task.cancelled',
      })
  }
  return rows.map(({ events, ...row }, index) => ({ ...row, id: `${run.id}|${events}|${index}` }))
}
