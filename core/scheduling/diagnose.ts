import { readGateways } from '../dispatch/reachAgent.ts'
import type { TaskStatus } from '../events/states.ts'
import type { Sql } from '../storage/sql.ts'
import { rankForNeed } from './chooseAgent.ts'
import type { Need, Ranked } from './rankAgents.ts'
import type { RankedGateway } from './rankGateways.ts'
import { type Waiting, waitingFor } from './waitingFor.ts'

/** Why a choice falls as it does: every agent, and every gateway of the agent that would be taken. */
export type NeedDiagnosis = { candidates: Ranked[]; gateways: RankedGateway[] }

export type TaskDiagnosis = NeedDiagnosis & {
  task: { id: string; key: string; title: string; runNumber: number; status: TaskStatus; agentId: string }
  /** Null when it is at work or has ended. */
  waiting: Waiting | null
}

/** Which agent and gateway would take work of this need now. Null where no agent can. */
export type Routed = { agent: Ranked; gateway: RankedGateway | null }

/** The choice for a need as the scheduler would make it now. */
export async function routeNeed(sql: Sql, need: Need): Promise<Routed | null> {
  const [agent] = await rankForNeed(sql, need)
  if (!agent?.eligible) return null
  const gateways = await readGateways(sql, [agent.agentId])
  return { agent, gateway: gateways.get(agent.agentId)?.[0] ?? null }
}

/** Every agent for a need, best first, and the gateways of the first one. */
export async function diagnoseNeed(sql: Sql, need: Need): Promise<NeedDiagnosis> {
  const candidates = await rankForNeed(sql, need)
  const best = candidates[0]
  return { candidates, gateways: best?.eligible ? await allGateways(sql, best.agentId) : [] }
}

type Row = {
  id: string
  key: string
  title: string
  run_number: number
  status: TaskStatus
  agent_id: string
  action: string
  capabilities: string[]
  cwd: string
  chat_id: number | null
}

/**
 * Why a task waits, and how the agents compare for it: its own agent is fixed and comes first, if it can do it. Null
 * when there is no such task.
 */
export async function diagnoseTask(sql: Sql, taskId: string): Promise<TaskDiagnosis | null> {
  const [row] = await sql.query<Row>(
    `SELECT t.id, t.key, t.title, r.number AS run_number, t.status, t.agent_id, t.action, t.capabilities, t.cwd, r.chat_id
     FROM task t JOIN run r ON r.id = t.run_id WHERE t.id = $1`,
    [taskId],
  )
  if (!row) return null
  const { id, key, title, status, cwd, action, capabilities } = row
  const need = { action, capabilities, cwd, agentId: row.agent_id, chatId: row.chat_id }
  return {
    task: { id, key, title, runNumber: row.run_number, status, agentId: row.agent_id },
    waiting: (await waitingFor(sql, [taskId])).get(taskId) ?? null,
    candidates: await rankForNeed(sql, need),
    gateways: await allGateways(sql, row.agent_id),
  }
}

const allGateways = async (sql: Sql, agentId: string): Promise<RankedGateway[]> =>
  (await readGateways(sql, [agentId], 'all')).get(agentId) ?? []
