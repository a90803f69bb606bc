import { z } from 'zod'
import { type Decided, decideApproval } from '../../core/approvals/decideApproval.ts'
import { findApproval, listApprovals } from '../../core/approvals/listApprovals.ts'
import { assertNever } from '../../core/assertNever.ts'
import { outsideLine } from '../../core/people/entitlements.ts'
import type { Sql } from '../../core/storage/sql.ts'
import { actAs } from '../actor.ts'
import { ApprovalAnswer, approvalAnswer, statusOf } from '../answers.ts'
import { ApiError } from '../errors.ts'
import { cut, NextCursor, pageQuery, placeOf } from '../page.ts'
import { ok, type Route, route } from '../route.ts'

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
    }),
    example: { decision: 'approve', plan_hash: 'f4adbfdb…' },
    answers: { 200: ApprovalAnswer },
    errors: {
      403: 'OWN_REQUEST: a token does not approve what it asked for itself, unless it has scope admin; with SKYNET_FOUR_EYES nobody does. NOT_ENTITLED: the chat or the machine is not among this person’s.',
      404: 'There is no such approval.',
      409: 'ALREADY_DECIDED: otherwise. PLAN_CHANGED: the hash is another, or a newer plan is asked about. APPROVAL_EXPIRED: too late.',
    },
    async handler(deps, { params, body, caller }) {
      const decision = body.decision === 'approve' || body.decision === 'approved' ? 'approved' : 'denied'
      const done = await actAs(deps, caller, async (tx, personId) => {
        if (decision === 'approved' && !caller.scopes.includes('admin'))
          await refuseOwn(tx, params.id, personId)
        return decideApproval(deps, tx, {
          approvalId: params.id,
          personId,
          decision,
          planHash: body.plan_hash,
        })
      })
      refuse(done, decision)
      return ok(await approvalOf(deps.db, params.id))
    },
  }),
]

async function approvalOf(sql: Sql, id: string): Promise<z.input<typeof ApprovalAnswer>> {
  const line = await findApproval(sql, id)
  if (!line) throw new ApiError(404, 'NOT_FOUND', 'There is no such approval.')
  return approvalAnswer(line)
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
function refuse(done: Decided, decision: 'approved' | 'denied'): void {
  switch (done.kind) {
    case 'decided':
    case 'counted':
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
