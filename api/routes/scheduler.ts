import { z } from 'zod'
import { actionNames } from '../../core/protocol/actions.ts'
import { diagnoseNeed, diagnoseTask, type NeedDiagnosis, routeNeed } from '../../core/scheduling/diagnose.ts'
import type { Need, Ranked } from '../../core/scheduling/rankAgents.ts'
import type { RankedGateway } from '../../core/scheduling/rankGateways.ts'
import { waitingWords } from '../../core/scheduling/waitingFor.ts'
import { statusOf } from '../answers.ts'
import { ApiError } from '../errors.ts'
import { ok, type Route, route } from '../route.ts'

const text = z.string().min(1).max(4096)
const need = {
  action: z.enum(actionNames).optional(),
  capabilities: z
    .array(z.string().min(1).max(64))
    .max(32)
    .default([])
    .describe('What it must be able to do besides.'),
  cwd: text.optional().describe('The directory it works in; it has to be in the roots of the agent.'),
  project_dir: text.optional().describe('The directory of its project: who has it is nearer.'),
  agent_id: z.uuid().optional().describe('Taken before all others, if it can do it.'),
  chat_id: z.int().optional().describe('Who did the last work of this chat is nearer.'),
}
const NeedBody = z.strictObject(need)

const needOf = (body: z.output<typeof NeedBody>): Need => ({
  action: body.action,
  capabilities: body.capabilities,
  cwd: body.cwd,
  projectDir: body.project_dir,
  agentId: body.agent_id,
  chatId: body.chat_id,
})

const Part = z.object({ value: z.number().describe('0 to 1.'), reason: z.string() })
const AgentScore = z.object({
  agent_id: z.uuid(),
  name: z.string(),
  eligible: z.boolean().describe('Whether it can do it at all: capabilities and roots.'),
  ready: z.boolean().describe('Whether it could begin now: connected, over a gateway that answers.'),
  score: z.number().describe('0 to 100: health 40, load 25, history 20, locality 15.'),
  parts: z.object({ health: Part, load: Part, history: Part, locality: Part }),
  cwd: z.string().describe('The directory it would work in.'),
  obstacles: z.array(z.string()).describe('Why it cannot do it.'),
})
const GatewayScore = z.object({
  gateway_id: z.uuid(),
  name: z.string(),
  open: z.boolean().describe('Its breaker is open: nothing is sent through it before it answers a probe.'),
  score: z.number().describe('0 to 100: health 40, load 25, history 35.'),
  parts: z.object({ health: Part, load: Part, history: Part }),
})

const agentScore = ({ agentId, facts: _facts, ...rest }: Ranked): z.input<typeof AgentScore> => ({
  agent_id: agentId,
  ...rest,
})
const gatewayScore = ({ id, name, open, score, parts }: RankedGateway): z.input<typeof GatewayScore> => ({
  gateway_id: id,
  name,
  open,
  score,
  parts,
})

const ranking = {
  candidates: z
    .array(AgentScore)
    .describe('Every enrolled agent, in the order in which they would be chosen.'),
  gateways: z
    .array(GatewayScore)
    .describe('The gateways of the agent, in the order in which they are tried.'),
}
const rankingOf = ({ candidates, gateways }: NeedDiagnosis) => ({
  candidates: candidates.map(agentScore),
  gateways: gateways.map(gatewayScore),
})

const WaitingTask = z.object({
  id: z.uuid(),
  key: z.string(),
  title: z.string(),
  run_number: z.int(),
  status: statusOf('task'),
  agent_id: z.uuid(),
  waiting_for: z.string().nullable().describe('In plain words; null when it is at work or has ended.'),
})

/** How the scheduler chooses, and why. */
export const schedulerRoutes: readonly Route[] = [
  route({
    method: 'POST',
    url: '/v1/route-task',
    scope: 'read',
    summary: 'Which agent and gateway would take a task now, and why.',
    body: NeedBody,
    answers: {
      200: z.object({
        agent: AgentScore,
        gateway: GatewayScore.nullable().describe('Null: no gateway that answers reaches it now.'),
        reasons: z.array(z.string()),
      }),
    },
    errors: { 422: 'No enrolled agent can take it; POST /v1/scheduler/diagnose says why of each.' },
    async handler({ db }, { body }) {
      const routed = await routeNeed(db, needOf(body))
      if (!routed)
        throw new ApiError(
          422,
          'NO_AGENT',
          'No enrolled agent can take this. POST /v1/scheduler/diagnose with the same body says why, of each.',
        )
      const { agent, gateway } = routed
      return ok({
        agent: agentScore(agent),
        gateway: gateway && gatewayScore(gateway),
        reasons: Object.values(agent.parts).map(({ reason }) => reason),
      })
    },
  }),
  route({
    method: 'POST',
    url: '/v1/scheduler/diagnose',
    scope: 'read',
    summary: 'Why a task waits, or how the agents compare for a need: every candidate with its score.',
    body: z.strictObject({ task_id: z.uuid().optional().describe('A task; or else a need.'), ...need }),
    answers: { 200: z.object({ task: WaitingTask.nullable(), ...ranking }) },
    errors: { 404: 'There is no such task.' },
    async handler({ db }, { body: { task_id, ...rest } }) {
      if (task_id === undefined) return ok({ task: null, ...rankingOf(await diagnoseNeed(db, needOf(rest))) })
      const found = await diagnoseTask(db, task_id)
      if (!found) throw new ApiError(404, 'NOT_FOUND', 'There is no such task.')
      const { id, key, title, runNumber, status, agentId } = found.task
      const waiting_for = found.waiting && waitingWords(found.waiting)
      const task = { id, key, title, run_number: runNumber, status, agent_id: agentId, waiting_for }
      return ok({ task, ...rankingOf(found) })
    },
  }),
]
