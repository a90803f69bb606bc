import { z } from 'zod'
import { approveStanding, type Stood } from '../../core/approvals/approveStanding.ts'
import { askAgain } from '../../core/approvals/askAgain.ts'
import { type Decided, decideApproval } from '../../core/approvals/decideApproval.ts'
import { type ApprovalLine, findApproval, listApprovals } from '../../core/approvals/listApprovals.ts'
import { standingKinds } from '../../core/approvals/standing.ts'
import { assertNever } from '../../core/assertNever.ts'
import { outsideLine } from '../../core/people/entitlements.ts'
import type { Sql } from '../../core/storage/sql.ts'
import { actAs, needRun } from '../actor.ts'
import { ApprovalAnswer, approvalAnswer, statusOf } from '../answers.ts'
import { ApiError } from '../errors.ts'
import { cut, NextCursor, pageQuery, placeOf } from '../page.ts'
import { answer, ok, type Route, route } from '../route.ts'

const ApprovalParams = z.strictObject({ id: z.uuid() })
const Before = z.tuple([z.number().min(0).max(8.64e15), z.uuid()])

const Decision = z
  .enum(['approve', 'deny', 'approved', 'denied'])
  .describe('`approved` and `denied` mean the same.')

/** What waits for an answer, and the answer. */
export const approvalRoutes: readonly Route[] = [
  route({
    method: 'GET',
    url: '/v1/approvals',
    scope: 'read',
    summary: 'Questions to people, newest first; those that wait, unless another status is named.',
    query: z.strictObject({ status: statusOf('approval').default('pending'), ...pageQuery }),
    answers: { 200: z.object({ approvals: z.array(ApprovalAnswer), next_cursor: NextCursor }) },
    async handler({ db }, { query: { status, limit, cursor } }) {
      const rows = await listApprovals(db, status, placeOf(Before, cursor), limit + 1)
      const [page, next_cursor] = cut(rows, limit, ({ createdAt, id }) => [createdAt.getTime(), id])
      return ok({ approvals: page.map(approvalAnswer), next_cursor })
    },
  }),
  route({
    method: 'GET',
    url: '/v1/approvals/:id',
    scope: 'read',
    summary: 'One question, with the answers given.',
    params: ApprovalParams,
    answers: { 200: ApprovalAnswer },
    errors: { 404: 'There is no such approval.' },
    async handler({ db }, { params }) {
      return ok(await approvalOf(db, params.id))
    },
  }),
  route({
    method: 'POST',
    url: '/v1/approvals/:id/decide',
    scope: 'operate',
    summary: 'Answers a question for exactly the plan that was read. The first answer wins.',
    description: 'The same answer again changes nothing and is 200. The person is the token, by its name.',
    params: ApprovalParams,
    body: z.strictObject({
      decision: Decision,
      plan_hash: z.string().min(1).max(200).describe('Of the plan that was read.'),
      standing: z
        .enum(standingKinds)
        .optional()
        .describe('Approves for a while what the same person asks for: `command` 1 h, `playbook` 24 h.'),
    }),
    example: { decision: 'approve', plan_hash: 'f4adbfdb…' },
    answers: { 200: ApprovalAnswer },
    errors: {
      403: 'OWN_REQUEST: a token does not approve what it asked for itself, unless it has scope admin; with SKYNET_FOUR_EYES nobody does. NOT_ENTITLED: the chat or the machine is not among this person’s.',
      404: 'There is no such approval.',
      409: 'ALREADY_DECIDED: otherwise. PLAN_CHANGED: the hash is another, or a newer plan is asked about. APPROVAL_EXPIRED: too late.',
      422: 'CANNOT: this can be approved once only (`standing`): its risk is too high.',
    },
    async handler(deps, { params, body, caller }) {
      const decision = body.decision === 'approve' || body.decision === 'approved' ? 'approved' : 'denied'
      const done = await actAs(deps, caller, async (tx, personId) => {
        if (decision === 'approved' && !caller.scopes.includes('admin'))
          await refuseOwn(tx, params.id, personId)
        const answer = { approvalId: params.id, personId, planHash: body.plan_hash }
        return body.standing && decision === 'approved'
          ? approveStanding(deps, tx, { ...answer, kind: body.standing })
          : decideApproval(deps, tx, { ...answer, decision })
      })
      refuse(done, decision)
      return ok(await approvalOf(deps.db, params.id))
    },
  }),
  route({
    method: 'POST',
    url: '/v1/approvals/:id/ask-again',
    scope: 'operate',
    summary: 'Asks once more about a plan whose approval has expired: the same run and hash, a new approval.',
    params: ApprovalParams,
    answers: { 201: ApprovalAnswer },
    errors: {
      403: 'FORBIDDEN, NOT_ENTITLED: the run is not of the person whose token this is, or of another chat or machine than theirs.',
      404: 'There is no such approval.',
      409: 'WRONG_STATE: it has not expired, or its run went on. OUTDATED: policy or machine changed since; ask for the work anew.',
    },
    async handler(deps, { params, caller }) {
      const { runId } = await lineOf(deps.db, params.id)
      const done = await actAs(deps, caller, async (tx, personId) => {
        await needRun(tx, caller, 'POST /v1/approvals/:id/ask-again', runId)
        return askAgain(deps, tx, params.id, personId)
      })
      if (done.kind === 'unknown') throw notThere()
      if (done.kind === 'outdated') throw new ApiError(409, 'OUTDATED', done.message)
      if (done.kind === 'not_expired')
        throw new ApiError(409, 'WRONG_STATE', 'It has not expired, or its run went on. Nothing changed.')
      return answer(201, await approvalOf(deps.db, done.approvalId))
    },
  }),
]

const notThere = (): ApiError => new ApiError(404, 'NOT_FOUND', 'There is no such approval.')

async function lineOf(sql: Sql, id: string): Promise<ApprovalLine> {
  const line = await findApproval(sql, id)
  if (!line) throw notThere()
  return line
}

async function approvalOf(sql: Sql, id: string): Promise<z.input<typeof ApprovalAnswer>> {
  return approvalAnswer(await lineOf(sql, id))
}

/** What a program asked for, somebody else has to approve. */
async function refuseOwn(sql: Sql, approvalId: string, personId: string): Promise<void> {
  const own = await sql.query(
    'SELECT 1 FROM approval a JOIN run r ON r.id = a.run_id WHERE a.id = $1 AND r.person_id = $2',
    [approvalId, personId],
  )
  if (own.length > 0) throw ownRequest()
}

const ownRequest = (): ApiError =>
  new ApiError(
    403,
    'OWN_REQUEST',
    'Who asked for it does not approve it here. Another person does in the chat, or a token of another name.',
  )

/** Throws where the answer did not count. */
function refuse(done: Decided | Stood, decision: 'approved' | 'denied'): void {
  switch (done.kind) {
    case 'decided':
    case 'counted':
    case 'stands':
      return
    case 'already':
      refuseLate(done, decision)
      return
    case 'expired':
      throw new ApiError(409, 'APPROVAL_EXPIRED', 'This approval has expired. Nothing changed; ask again.')
    case 'other_plan':
      throw new ApiError(
        409,
        'PLAN_CHANGED',
        'The plan is another than the one with this hash. Read it again.',
      )
    case 'cannot_stand':
      throw new ApiError(
        422,
        'CANNOT',
        'This can be approved once only: its risk is too high. Nothing changed.',
      )
    case 'own_request':
      throw ownRequest()
    case 'outside':
      throw new ApiError(403, 'NOT_ENTITLED', outsideLine(done.outside))
    case 'unknown':
      throw new ApiError(404, 'NOT_FOUND', 'There is no such approval.')
    default:
      assertNever(done)
  }
}

function refuseLate(done: Extract<Decided, { kind: 'already' }>, decision: 'approved' | 'denied'): void {
  if (done.status === decision) return
  if (done.status === 'expired')
    throw new ApiError(409, 'APPROVAL_EXPIRED', 'This approval has expired. Nothing changed; ask again.')
  if (done.status === 'superseded')
    throw new ApiError(409, 'PLAN_CHANGED', 'This plan is no longer asked about. Nothing changed.')
  const by = done.by ? ` by ${done.by}` : ''
  throw new ApiError(409, 'ALREADY_DECIDED', `Already ${done.status}${by}. Nothing changed.`)
}
