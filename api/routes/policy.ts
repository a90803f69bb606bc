import { z } from 'zod'
import { listMachines, type Machine } from '../../core/fleet/machineFacts.ts'
import { judge, type PolicyContext } from '../../core/policy/judge.ts'
import { type ActionCall, ActionCallSchema, ActionNameSchema } from '../../core/protocol/actions.ts'
import { VerdictAnswer } from '../answers.ts'
import type { RouteDeps } from '../deps.ts'
import { ApiError, parsePart } from '../errors.ts'
import { ok, type Route, route } from '../route.ts'

const CheckBody = z
  .strictObject({
    command: z.string().min(1).max(32_768).optional().describe('A command line; or else action and params.'),
    action: ActionNameSchema.optional(),
    params: z.record(z.string(), z.unknown()).optional(),
    agent_id: z.uuid().optional().describe('The machine. None: the first one there is.'),
    cwd: z.string().min(1).max(4096).optional().describe('The directory there. None: its first root.'),
  })
  .refine(({ command, action }) => (command === undefined) !== (action === undefined), {
    error: 'takes command, or action with params',
    path: ['command'],
  })
type CheckBody = z.output<typeof CheckBody>

/** What policy would say; nothing is done. */
export const policyRoutes: readonly Route[] = [
  route({
    method: 'POST',
    url: '/v1/policy/check',
    scope: 'read',
    summary: 'What policy would say of a command or action, and why. Nothing is done.',
    body: CheckBody,
    example: { command: 'rm -rf dist' },
    answers: { 200: VerdictAnswer },
    errors: { 404: 'There is no such agent.' },
    async handler(deps, { body }) {
      return ok(judge(callOf(body), await contextOf(deps, body), deps.policy))
    },
  }),
]

const callOf = ({ command, action, params = {} }: CheckBody): ActionCall =>
  command === undefined
    ? parsePart('params', ActionCallSchema, { action, params })
    : parsePart('command', ActionCallSchema, { action: 'shell', params: { command } })

/** A machine like most, where there is none yet. */
const neutral: PolicyContext = {
  cwd: '/home/someone/work',
  roots: ['/home/someone/work'],
  home: '/home/someone',
  platform: 'linux',
}

async function contextOf(deps: Pick<RouteDeps, 'db' | 'settings'>, body: CheckBody): Promise<PolicyContext> {
  const machines = await listMachines(deps.db)
  const machine = body.agent_id
    ? machines.find((one) => one.agentId === body.agent_id)
    : (machines.find((one) => one.connected) ?? machines[0])
  if (!machine && body.agent_id)
    throw new ApiError(404, 'NOT_FOUND', 'There is no such agent, or it never connected.')
  const context = { ...(machine ? contextAt(machine) : neutral), denyPaths: deps.settings.denyPaths }
  return body.cwd === undefined ? context : { ...context, cwd: body.cwd }
}

const contextAt = ({ facts }: Machine): PolicyContext => ({
  cwd: facts.roots[0] ?? facts.home,
  roots: facts.roots,
  home: facts.home,
  platform: facts.platform,
})
