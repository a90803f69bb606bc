import { randomUUID } from 'node:crypto'
import { askApproval } from '../core/approvals/askApproval.ts'
import { transition } from '../core/events/transition.ts'
import type { Machine } from '../core/fleet/machineFacts.ts'
import { judgePlan } from '../core/planning/judgePlan.ts'
import type { Policy } from '../core/policy/policySchema.ts'
import { planHash } from '../core/protocol/hash.ts'
import type { PlanSpec, TaskSpec } from '../core/protocol/specs.ts'
import { storePlan } from '../core/runs/storePlan.ts'
import type { Database } from '../core/storage/openDatabase.ts'

export type Call = Pick<TaskSpec, 'action' | 'params'>
export type Held = { runId: string; approvalId: string; hash: string }

function planOf(machine: Machine, call: Call, tasks: number): PlanSpec {
  const spec: TaskSpec = {
    ...call,
    agent_id: machine.agentId,
    machine_id: machine.facts.machine_id,
    cwd: machine.facts.roots[0] ?? '/',
    required_files: [],
    timeout_s: 600,
    network: false,
  }
  return {
    version: 1,
    summary: 'benchmark',
    milestones: [],
    tasks: Array.from({ length: tasks }, (_, n) => ({
      key: String(n + 1),
      title: `task ${n + 1}`,
      depends_on: [],
      spec,
    })),
  }
}

/** A run of equal tasks that waits for its approval, as a planner would have left it. */
export async function heldRun(
  db: Database,
  policy: Policy,
  machine: Machine,
  call: Call,
  tasks: number,
): Promise<Held> {
  const plan = planOf(machine, call, tasks)
  const hash = planHash(plan, policy.version)
  const judged = judgePlan(plan, () => machine.facts, policy, [])
  const runId = randomUUID()
  return db.tx(async (tx) => {
    await tx.query(
      "INSERT INTO run (id, kind, status, request) VALUES ($1, 'api', 'planning', 'benchmark')",
      [runId],
    )
    const about = {
      planHash: hash,
      policyVersion: policy.version,
      source: { kind: 'command' },
      judged,
      status: 'held' as const,
    }
    const { planId } = await storePlan(tx, runId, plan, about)
    const settings = { approvalTtlMs: 3_600_000, approvalQuorum: 1 }
    const approvalId = await askApproval(tx, { runId, planId, planHash: hash, risk: 'low', settings })
    await transition(tx, 'run', { ids: [runId], from: ['planning'], to: 'awaiting_approval' })
    return { runId, approvalId, hash }
  })
}
