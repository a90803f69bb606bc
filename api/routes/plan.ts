import { z } from 'zod'
import { choosePlace, readWish } from '../../core/fleet/choosePlace.ts'
import { listMachines } from '../../core/fleet/machineFacts.ts'
import { mayActIn } from '../../core/people/entitlements.ts'
import { createRun, type NewRun } from '../../core/runs/createRun.ts'
import type { Sql, Tx } from '../../core/storage/sql.ts'
import { actAs } from '../actor.ts'
import { planned } from '../awaitPlan.ts'
import { ApiError } from '../errors.ts'
import { answer, type Route, route } from '../route.ts'
import { RunAnswer, runAnswer } from '../runAnswer.ts'

/** Seconds a request waits for its plan, unless it says otherwise. */
const WAIT_S = 10
const MAX_WAIT_S = 60

const AbsolutePath = z
  .string()
  .max(4096)
  .regex(/^(?:\/|[A-Za-z]:[\\/])/, 'an absolute path')

const PlanBody = z.strictObject({
  request: z.string().trim().min(1).max(4000).describe('What is wanted, in plain words.'),
  chat_id: z
    .int()
    .optional()
    .describe('The chat that is told of it. None: only a question goes to an owner.'),
  project_id: z.uuid().optional().describe('There are no projects yet: refused with 422.'),
  agent_id: z.uuid().optional().describe('The machine. None: as in the chat, by the words or the only one.'),
  cwd: AbsolutePath.optional().describe('The directory there; needs agent_id. None: its first root.'),
  wait_s: z.number().min(0).max(MAX_WAIT_S).default(WAIT_S).describe('How long to wait for the plan.'),
})
type PlanBody = z.output<typeof PlanBody>

/** A request in plain words becomes a run, as in the chat. */
export const planRoutes: readonly Route[] = [
  route({
    method: 'POST',
    url: '/v1/plan',
    scope: 'operate',
    summary:
      'Plans a request: a run with its plan, what policy says of each task, and the approval it needs.',
    description:
      '201 once it is planned (or failed, or refused: see `status`), 202 while planning goes on. What policy allows starts at once.',
    body: PlanBody,
    example: { request: 'run the tests' },
    answers: { 201: RunAnswer, 202: RunAnswer },
    errors: {
      403: 'NOT_ENTITLED: whose token it is may not act in this chat.',
      404: 'There is no such agent.',
      422: 'CANNOT: the chat or the place is not known.',
    },
    deadlineMs: (MAX_WAIT_S + 10) * 1000,
    async handler(deps, { body, caller }) {
      const { id } = await actAs(deps, caller, async (tx, personId) => {
        if (!(await mayActIn(tx, personId, body.chat_id ?? 0)))
          throw new ApiError(403, 'NOT_ENTITLED', 'You may act in some chats only: name one as chat_id.')
        return createRun(deps, tx, await runOf(tx, body, personId, deps.redact))
      })
      const isPlanned = await planned(deps, id, body.wait_s * 1000)
      return answer(isPlanned ? 201 : 202, await runAnswer(deps.db, id))
    },
  }),
]

async function runOf(
  tx: Tx,
  body: PlanBody,
  personId: string,
  redact: (text: string) => string,
): Promise<NewRun> {
  if (body.project_id) throw new ApiError(422, 'CANNOT', 'There are no projects yet; leave project_id out.')
  const chat = body.chat_id === undefined ? null : await chatOf(tx, body.chat_id)
  const { text, place } = body.agent_id
    ? { text: body.request, place: await placeOn(tx, body.agent_id, body.cwd) }
    : await placeIn(tx, body, personId)
  return { kind: 'request', request: redact(text), personId, chat, place }
}

async function chatOf(tx: Sql, id: number): Promise<NewRun['chat']> {
  const known = await tx.query('SELECT 1 FROM chat WHERE id = $1 AND blocked_at IS NULL', [id])
  if (known.length === 0) throw new ApiError(422, 'CANNOT', `The bot has no chat ${id} that it may write to.`)
  return { id, topicId: 0, messageId: null }
}

async function placeOn(tx: Sql, agentId: string, cwd: string | undefined): Promise<NewRun['place']> {
  const machine = (await listMachines(tx)).find((one) => one.agentId === agentId)
  if (!machine) throw new ApiError(404, 'NOT_FOUND', 'There is no such agent, or it never connected.')
  return { agentId, cwd: cwd ?? machine.facts.roots[0] ?? '/' }
}

/** As in the chat: what the words say, else the only place there is, else planning looks for one. */
async function placeIn(
  tx: Sql,
  body: PlanBody,
  personId: string,
): Promise<{ text: string; place: NewRun['place'] }> {
  if (body.cwd !== undefined) throw new ApiError(422, 'CANNOT', 'cwd needs agent_id: on which machine?')
  const { text, wish } = await readWish(tx, body.request)
  const asker = { chatId: body.chat_id ?? 0, topicId: 0, personId }
  const chosen = await choosePlace(tx, asker, 'request', wish)
  if (chosen.kind === 'unknown') {
    const places = chosen.places.map(({ label }) => label)
    throw new ApiError(422, 'CANNOT', `There is no place called ${chosen.asked.slice(0, 80)}.`, { places })
  }
  return { text, place: chosen.kind === 'place' ? chosen.place : null }
}
