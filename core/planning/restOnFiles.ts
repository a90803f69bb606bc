import type { Deps } from '../deps.ts'
import { callGateway } from '../dispatch/gatewayClient.ts'
import { readGateways } from '../dispatch/reachAgent.ts'
import type { Machine } from '../fleet/machineFacts.ts'
import { InspectResponse } from '../protocol/http.ts'
import type { PlanSpec, PlanTask } from '../protocol/specs.ts'
import type { Sql } from '../storage/sql.ts'
import type { Judged } from './judgePlan.ts'
import { type PlanFile, planFile } from './planFiles.ts'
import { scriptFiles } from './scriptFiles.ts'

/** A plan with the files that its tasks rest on. */
export type Rested = { plan: PlanSpec; files: PlanFile[] }

/** What files hold now, by agent and path; null: asked for, and not there or not to be asked for now. */
export type SeenFiles = ReadonlyMap<string, ReadonlyMap<string, PlanFile | null>>
export const nothingSeen: SeenFiles = new Map()

/**
 * Asks the agents of a plan what the files hold that its tasks would rest on. It may take seconds for each agent: not for
 * where anything is locked, since a cancel would wait.
 */
export async function seeFiles(
  deps: Pick<Deps, 'gatewayToken' | 'redact'>,
  sql: Sql,
  plan: PlanSpec,
  judged: readonly Judged[],
  machines: readonly Machine[],
): Promise<SeenFiles> {
  const seen = await Promise.all(
    [...filesOf(plan, judged, machines)].map(async ([agentId, paths]) => {
      const found = await inspect(deps, sql, agentId, paths)
      return [agentId, new Map(paths.map((path) => [path, found.get(path) ?? null]))] as const
    }),
  )
  return new Map(seen)
}

/** The files that tasks of a plan would rest on, by agent. */
function filesOf(
  plan: PlanSpec,
  judged: readonly Judged[],
  machines: readonly Machine[],
): Map<string, string[]> {
  const files = new Map<string, string[]>()
  for (const [i, paths] of wantedFiles(plan, judged, machines).entries()) {
    const agentId = plan.tasks[i]?.spec.agent_id ?? ''
    if (paths.length > 0) files.set(agentId, [...new Set([...(files.get(agentId) ?? []), ...paths])])
  }
  return files
}

/** Whether every file that tasks of a plan would rest on was asked for. Pure. */
export const hasSeen = (
  seen: SeenFiles,
  plan: PlanSpec,
  judged: readonly Judged[],
  machines: readonly Machine[],
): boolean =>
  [...filesOf(plan, judged, machines)].every(([agentId, paths]) =>
    paths.every((path) => seen.get(agentId)?.has(path)),
  )

/**
 * The plan with, for each task that asks, the files it runs and what was seen of them: part of what is hashed, approved
 * and signed, so that the agent refuses it once one of them has changed. Not for files that a task before it may write,
 * and not where the agent could not be asked; such a task rests on its text alone, as its card shows. Pure.
 */
export function restOn(
  plan: PlanSpec,
  judged: readonly Judged[],
  machines: readonly Machine[],
  seen: SeenFiles,
): Rested {
  const wanted = wantedFiles(plan, judged, machines)
  const files = new Set<PlanFile>()
  const tasks = plan.tasks.map((task, i) => {
    const found = (wanted[i] ?? []).flatMap((path) => seen.get(task.spec.agent_id)?.get(path) ?? [])
    if (found.length === 0) return task
    for (const file of found) files.add(file)
    const rests_on = found.map(({ path, sha256 }) => ({ path, sha256 }))
    return { ...task, spec: { ...task.spec, rests_on } }
  })
  return { plan: { ...plan, tasks }, files: [...files] }
}

/** The files that each task would rest on. */
const wantedFiles = (plan: PlanSpec, judged: readonly Judged[], machines: readonly Machine[]): string[][] =>
  plan.tasks.map((task, i) =>
    judged[i]?.verdict.verdict === 'ask' && !isAfterWrite(plan, task, judged) && canInspect(task, machines)
      ? scriptFiles(task.spec)
      : [],
  )

const canInspect = ({ spec }: PlanTask, machines: readonly Machine[]): boolean =>
  machines.some(
    ({ agentId, facts, connected }) => agentId === spec.agent_id && connected && facts.inspects === true,
  )

/** Whether something of the plan that is not after this task may write on its machine before it starts. */
function isAfterWrite(plan: PlanSpec, task: PlanTask, judged: readonly Judged[]): boolean {
  const after = dependents(plan, task.key)
  return plan.tasks.some(
    (other, i) =>
      other.key !== task.key &&
      other.spec.machine_id === task.spec.machine_id &&
      judged[i]?.effect !== 'read' &&
      !after.has(other.key),
  )
}

function dependents(plan: PlanSpec, key: string): Set<string> {
  const after = new Set([key])
  for (let size = 0; size !== after.size; ) {
    size = after.size
    for (const task of plan.tasks) if (task.depends_on.some((one) => after.has(one))) after.add(task.key)
  }
  return after
}

/** What the agent says these files hold, by path, of those that are there. None when it cannot be asked. */
async function inspect(
  deps: Pick<Deps, 'gatewayToken' | 'redact'>,
  sql: Sql,
  agentId: string,
  paths: readonly string[],
): Promise<ReadonlyMap<string, PlanFile>> {
  const gateways = (await readGateways(sql, [agentId])).get(agentId) ?? []
  for (const { url } of gateways.slice(0, 2)) {
    const body = { agent_id: agentId, paths }
    const outcome = await callGateway(deps.gatewayToken, 'POST', `${url.replace(/\/+$/, '')}/inspect`, body)
    const answer = outcome.kind === 'ok' ? InspectResponse.safeParse(outcome.body) : null
    if (answer?.success)
      return new Map(
        answer.data.files.flatMap((found) => {
          const file = paths.includes(found.path) ? planFile(agentId, found, deps.redact) : null
          return file ? [[file.path, file] as const] : []
        }),
      )
  }
  return new Map()
}
