import { randomUUID } from 'node:crypto'
import type { Machine } from '../fleet/machineFacts.ts'
import type { PlanSpec } from '../protocol/specs.ts'
import { jsonText } from '../storage/jsonText.ts'
import type { Tx } from '../storage/sql.ts'
import { type CommitDeps, commitRevision } from './commitRevision.ts'
import { judgePlan } from './judgePlan.ts'

/** The run for which a look is taken. */
export type LookFor = { id: string; personId: string | null }

/**
 * Starts a look: a run of kind `look`, of whoever asked, with those of the tasks that policy lets go on by itself, that
 * only read, and that need no network. It is judged, claimed, granted and recorded as any other; it has no chat and a
 * number below zero. Null when no task is left, or policy takes one for more than a look after all.
 */
export async function startLook(
  deps: CommitDeps,
  tx: Tx,
  forRun: LookFor,
  looks: PlanSpec,
  machine: Machine,
): Promise<string | null> {
  const judged = judgePlan(looks, () => machine.facts, deps.policy, deps.settings.denyPaths)
  const harmless = new Set(
    judged
      .filter(({ verdict, effect }) => verdict.verdict === 'allow' && effect === 'read' && !verdict.network)
      .map(({ key }) => key),
  )
  const plan = { ...looks, tasks: looks.tasks.filter(({ key }) => harmless.has(key)) }
  const [first] = plan.tasks
  if (!first) return null
  const id = await insertLook(tx, forRun, machine.agentId, first.spec.cwd)
  await commitRevision(
    deps,
    tx,
    id,
    { plan, source: { kind: 'look', for: forRun.id } },
    { machines: [machine] },
  )
  const [run] = await tx.query<{ status: string }>('SELECT status FROM run WHERE id = $1', [id])
  return run?.status === 'running' ? id : null
}

async function insertLook(tx: Tx, { id: forRun, personId }: LookFor, agentId: string, cwd: string) {
  const id = randomUUID()
  const told = { kind: 'look', status: 'planning', request: 'a look before planning', for: forRun }
  await tx.query(
    `WITH made AS (
       INSERT INTO run (id, number, kind, status, request, person_id, agent_id, cwd)
       VALUES ($1, nextval('run_look_number'), 'look', 'planning', 'a look before planning', $2, $3, $4) RETURNING id, number, agent_id
     )
     INSERT INTO event (type, run_id, agent_id, data)
     SELECT 'run.created', id, agent_id, jsonb_build_object('number', number) || $5::jsonb FROM made`,
    [id, personId, agentId, cwd, jsonText(told)],
  )
  return id
}
