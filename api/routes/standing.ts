import { z } from 'zod'
import { listStanding, revokeStanding, type StandingLine } from '../../core/approvals/listStanding.ts'
import { standingKinds } from '../../core/approvals/standing.ts'
import { permits } from '../../core/people/methods.ts'
import { actAs } from '../actor.ts'
import { At, iso, isoOrNull } from '../answers.ts'
import { ApiError } from '../errors.ts'
import { ok, type Route, route } from '../route.ts'

const StandingAnswer = z.object({
  id: z.uuid(),
  kind: z.enum(standingKinds),
  what: z.string().describe('The command, or the title of the playbook.'),
  agent_id: z.uuid(),
  agent_name: z.string(),
  cwd: z.string().nullable(),
  for: z.string().describe('Whose requests it lets through.'),
  given_by: z.string(),
  risk: z.string(),
  created_at: At,
  expires_at: At,
  uses: z.int(),
  last_used_at: At.nullable(),
})

const standingAnswer = (line: StandingLine): z.input<typeof StandingAnswer> => ({
  id: line.id,
  kind: line.kind,
  what: line.label,
  agent_id: line.agentId,
  agent_name: line.agentName,
  cwd: line.cwd,
  for: line.asker,
  given_by: line.givenBy,
  risk: line.risk,
  created_at: iso(line.createdAt),
  expires_at: iso(line.expiresAt),
  uses: line.uses,
  last_used_at: isoOrNull(line.lastUsedAt),
})

/** What is approved ahead, and its end; it is given with a decision. */
export const standingRoutes: readonly Route[] = [
  route({
    method: 'GET',
    url: '/v1/standing-approvals',
    scope: 'read',
    summary: 'What is approved ahead, those that end first.',
    answers: { 200: z.object({ standing_approvals: z.array(StandingAnswer) }) },
    async handler({ db }) {
      return ok({ standing_approvals: (await listStanding(db, null)).map(standingAnswer) })
    },
  }),
  route({
    method: 'POST',
    url: '/v1/standing-approvals/:id/revoke',
    scope: 'operate',
    summary: 'Ends one at once; a person ends those that they gave or that are for them, an owner any.',
    params: z.strictObject({ id: z.uuid() }),
    answers: { 200: z.object({ id: z.uuid(), revoked: z.literal(true) }) },
    errors: { 404: 'There is none of theirs with this id in force.' },
    async handler(deps, { params, caller }) {
      const { person } = caller
      const own = person && !permits(person, 'tap people') ? person.id : null
      const done = await actAs(deps, caller, (tx, personId) => revokeStanding(tx, params.id, personId, own))
      if (!done) throw new ApiError(404, 'NOT_FOUND', 'There is none of yours with this id in force.')
      return ok({ id: params.id, revoked: true as const })
    },
  }),
]
