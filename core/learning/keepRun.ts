import type { Deps } from '../deps.ts'
import { listMachines } from '../fleet/machineFacts.ts'
import { listGuides } from '../guides/guide.ts'
import { storeGuide } from '../guides/storeGuide.ts'
import { matchOne } from '../planning/matchPlaybook.ts'
import type { Playbook } from '../planning/playbook.ts'
import { tidyRequest } from '../planning/tidyRequest.ts'
import type { PlanSpec } from '../protocol/specs.ts'
import { type RunView, viewRun } from '../runs/viewRun.ts'
import type { Tx } from '../storage/sql.ts'
import { proposePlaybook } from './proposePlaybook.ts'

/** `kept`: it is in the ledger now, or was before; it waits for a review unless it had one. */
export type Kept = { kind: 'kept'; name: string } | { kind: 'cannot'; reason: string }

/** Whether a run can be kept as a playbook: a model planned it, all of it went well, and no playbook did it. Pure. */
export const canKeep = (run: Pick<RunView, 'kind' | 'status' | 'source' | 'tasks'>): boolean =>
  run.kind === 'request' &&
  run.status === 'succeeded' &&
  run.source?.kind === 'model' &&
  run.tasks.length > 0 &&
  run.tasks.every(({ status }) => status === 'succeeded')

const planOf = (run: RunView): PlanSpec => ({
  version: run.planVersion,
  summary: run.summary ?? run.request,
  milestones: run.milestones.map(({ key, title }) => ({ key, title })),
  tasks: run.tasks.map(({ key, title, milestone, dependsOn, about, spec }) => ({
    key,
    title,
    ...(milestone ? { milestone } : {}),
    depends_on: dependsOn,
    ...(about ? { about } : {}),
    spec,
  })),
})

/** What any version of a run's plan was made with in view: a later one may have been mended without it. */
async function originsOfRun(tx: Tx, runId: string): Promise<string[]> {
  const rows = await tx.query<{ origin: string }>(
    `SELECT DISTINCT jsonb_array_elements_text(source->'from') AS origin FROM plan
     WHERE run_id = $1 AND jsonb_typeof(source->'from') = 'array' ORDER BY origin`,
    [runId],
  )
  return rows.map(({ origin }) => origin)
}

type Place = { cwd: string | null; repository: string | null }

/** Where a run was asked for, and the repository there. */
async function placeOf(tx: Tx, run: RunView): Promise<Place> {
  const machine = (await listMachines(tx)).find(({ agentId }) => agentId === run.tasks[0]?.agentId)
  const cwd = run.cwd ?? machine?.facts.roots[0] ?? null
  const around = machine?.facts.repositories
    .filter(({ path }) => cwd === path || cwd?.startsWith(`${path}/`))
    .sort((a, b) => b.path.length - a.path.length)
  return { cwd, repository: around?.[0]?.name ?? null }
}

/**
 * Keeps a run that went well as a playbook, inert until an owner has reviewed it. What the run was planned with in view goes
 * with it: its plans ask before they write, as the run did. Twice is once.
 */
export async function keepRun(
  deps: Pick<Deps, 'playbooks'>,
  tx: Tx,
  runId: string,
  personId: string,
): Promise<Kept> {
  const run = await viewRun(tx, runId)
  if (!run || !canKeep(run))
    return { kind: 'cannot', reason: 'Only a run that a model planned and that went well can be kept.' }
  const source = `run #${run.number}`
  const known = await listGuides(tx, 'playbook')
  const same = known.find((guide) => guide.source === source)
  if (same) return { kind: 'kept', name: same.name }
  const knows = deps.playbooks.find((playbook) => matchOne(playbook, tidyRequest(run.request)))
  if (knows)
    return { kind: 'cannot', reason: `The playbook "${knows.title}" understands this request already.` }
  const place = await placeOf(tx, run)
  if (run.tasks.some(({ cwd }) => cwd !== place.cwd))
    return {
      kind: 'cannot',
      reason:
        'Its steps work in another directory than it was asked for in; a playbook works where it is asked for.',
    }
  const proposal = proposePlaybook({
    number: run.number,
    request: run.request,
    plan: planOf(run),
    repository: place.repository,
  })
  if (proposal.kind === 'cannot') return proposal
  const name = freeName(proposal.name, [...known, ...deps.playbooks])
  const origins = await originsOfRun(tx, runId)
  const found = {
    kind: 'playbook',
    name,
    source,
    description: run.request,
    text: proposal.yaml,
    origins,
    runId,
  } as const
  const stored = await storeGuide(tx, found, personId)
  if (stored.kind === 'taken')
    return { kind: 'cannot', reason: 'Somebody kept another run under this name just now. Tap again.' }
  return { kind: 'kept', name }
}

function freeName(wanted: string, taken: readonly Pick<Playbook, 'name'>[]): string {
  const isFree = (name: string) => !taken.some((other) => other.name === name)
  if (isFree(wanted)) return wanted
  const next = (n: number): string => {
    const name = `${wanted.slice(0, 44)}-${n}`
    return isFree(name) ? name : next(n + 1)
  }
  return next(2)
}

/** A name that a learned playbook may have; null when it is none. */
export const playbookName = (text: string): string | null => {
  const name = text.trim().toLowerCase().replace(/\s+/g, '-')
  return /^[a-z][a-z0-9]*(?:-[a-z0-9]+)*$/.test(name) && name.length <= 48 ? name : null
}
