import { z } from 'zod'
import { forgetMemory, readMemory } from '../../core/memory/changeMemory.ts'
import { memoryStats } from '../../core/memory/listMemories.ts'
import { type Memory, memoryKinds } from '../../core/memory/memory.ts'
import { noteFact } from '../../core/memory/noteFact.ts'
import type { MemoryAccess } from '../../core/memory/openMemory.ts'
import { type Recalled, recall } from '../../core/memory/recall.ts'
import { scopeOf } from '../../core/memory/scope.ts'
import { foreignMachine } from '../../core/people/entitlements.ts'
import { permits } from '../../core/people/methods.ts'
import { actAs } from '../actor.ts'
import { At, iso, isoOrNull } from '../answers.ts'
import type { RouteDeps } from '../deps.ts'
import { ApiError } from '../errors.ts'
import { answer, ok, type Route, route } from '../route.ts'

const Kind = z.enum(memoryKinds)
const MemoryAnswer = z.object({
  id: z.int(),
  kind: Kind,
  text: z.string(),
  seen: z.string().nullable().describe('Lines of an output that belong to it.'),
  outside: z.boolean().describe('It has words that nobody entitled to act here wrote.'),
  succeeded: z.boolean().nullable(),
  times: z.int(),
  person_id: z.uuid().nullable(),
  agent_id: z.uuid().nullable(),
  cwd: z.string().nullable(),
  run_id: z.uuid().nullable(),
  created_at: At,
  last_at: At,
  corrected_at: At.nullable(),
})
const memoryAnswer = (memory: Memory): z.input<typeof MemoryAnswer> => ({
  id: memory.id,
  kind: memory.kind,
  text: memory.text,
  seen: memory.seen,
  outside: memory.outside,
  succeeded: memory.succeeded,
  times: memory.times,
  person_id: memory.personId,
  agent_id: memory.agentId,
  cwd: memory.cwd,
  run_id: memory.runId,
  created_at: iso(memory.createdAt),
  last_at: iso(memory.lastAt),
  corrected_at: isoOrNull(memory.correctedAt),
})

const Found = MemoryAnswer.extend({
  relevance: z.number().describe('How well it meets the question, 0 to 1.'),
  importance: z
    .number()
    .describe('What it is ranked by: recency, success, relevance and frequency together, 0 to 1.'),
})
const FoundAnswer = z.object({ memories: z.array(Found) })
const foundAnswer = (memories: readonly Recalled[]): z.input<typeof FoundAnswer> => ({
  memories: memories.map((one) => ({
    ...memoryAnswer(one),
    relevance: one.relevance,
    importance: one.importance,
  })),
})

const Text = z.string().trim().min(1).max(2000)
const limit = z.int().min(1).max(50).default(5)
const kinds = z.array(Kind).min(1).max(memoryKinds.length).optional()
const place = {
  agent_id: z.uuid().optional().describe('The machine it is about.'),
  cwd: z.string().min(1).max(4096).optional().describe('The directory there.'),
}

/** Throws 422 while memory is switched off. */
function accessOf({ memory }: Pick<RouteDeps, 'memory'>): MemoryAccess {
  if (memory) return memory
  throw new ApiError(422, 'MEMORY_OFF', 'Memory is switched off (SKYNET_MEMORY_ENABLED=false).')
}
const off = { 422: 'Memory is switched off.' } as const

async function needMachine(
  { db }: Pick<RouteDeps, 'db'>,
  agentId: string | undefined,
  personId: string | null,
): Promise<void> {
  if (agentId === undefined) return
  const known = await db.query('SELECT 1 FROM agent WHERE id = $1 AND revoked_at IS NULL', [agentId])
  if (known.length === 0) throw new ApiError(404, 'NOT_FOUND', 'There is no such agent.')
  const foreign = personId === null ? null : await foreignMachine(db, personId, [agentId])
  if (foreign !== null) throw new ApiError(403, 'NOT_ENTITLED', `You may not act on ${foreign}.`)
}

/** What is remembered: to add to it, to look in it, and to have it forgotten. */
export const memoryRoutes: readonly Route[] = [
  route({
    method: 'POST',
    url: '/v1/memory/store',
    scope: 'operate',
    summary: 'Remembers a text; the same text for the same place again is one memory.',
    description:
      'What programs store may have its words from anywhere: a plan made with it in view asks before it changes anything.',
    body: z.strictObject({
      text: Text,
      kind: z.enum(['fact', 'preference', 'task', 'failure', 'strategy']).default('fact'),
      succeeded: z.boolean().optional().describe('How what it tells of ended.'),
      ...place,
    }),
    example: { text: 'The docs are built by make docs.' },
    answers: { 201: z.object({ id: z.int() }) },
    errors: { 403: 'Not on that machine.', 404: 'There is no such agent.', ...off },
    async handler(deps, { body, caller }) {
      accessOf(deps)
      await needMachine(deps, body.agent_id, caller.person?.id ?? null)
      const note = {
        ...{ kind: body.kind, text: body.text, program: true, chatId: null },
        ...{ agentId: body.agent_id ?? null, cwd: body.cwd ?? null, succeeded: body.succeeded ?? null },
      }
      const id = await actAs(deps, caller, (tx, personId) =>
        noteFact(deps, tx, { ...note, personId }, deps.clock.now()),
      )
      return answer(201, { id })
    },
  }),
  route({
    method: 'POST',
    url: '/v1/memory/search',
    scope: 'read',
    summary: 'The memories that matter most for a text.',
    body: z.strictObject({ text: Text, limit, kinds, ...place }),
    example: { text: 'build the docs', limit: 5 },
    answers: { 200: FoundAnswer },
    errors: off,
    async handler(deps, { body, caller }) {
      accessOf(deps)
      const asked = { text: body.text, kinds: body.kinds, agentId: body.agent_id, cwd: body.cwd }
      return ok(
        foundAnswer(await recall(deps, { ...asked, personId: caller.person?.id ?? null, limit: body.limit })),
      )
    },
  }),
  route({
    method: 'POST',
    url: '/v1/memory/similar',
    scope: 'read',
    summary: 'Memories that are like one of them.',
    body: z.strictObject({ id: z.int().min(1), limit }),
    example: { id: 12 },
    answers: { 200: FoundAnswer },
    errors: { 404: 'There is no such memory.', ...off },
    async handler(deps, { body, caller }) {
      accessOf(deps)
      const personId = caller.person?.id ?? null
      const memory = await readMemory(deps.db, await scopeOf(deps.db, personId), body.id)
      if (!memory) throw new ApiError(404, 'NOT_FOUND', 'There is no such memory.')
      const found = await recall(deps, { text: memory.text, personId, limit: body.limit + 1 })
      return ok(foundAnswer(found.filter(({ id }) => id !== memory.id).slice(0, body.limit)))
    },
  }),
  route({
    method: 'POST',
    url: '/v1/memory/:id/forget',
    scope: 'operate',
    summary: 'Forgets a memory for good; nothing of its kind is made of the same run again.',
    params: z.strictObject({ id: z.coerce.number().int().min(1) }),
    answers: { 200: z.object({ id: z.int(), forgotten: z.literal(true) }) },
    errors: { 403: 'It is somebody else’s.', 404: 'There is no such memory.', ...off },
    async handler(deps, { params: { id }, caller }) {
      accessOf(deps)
      const { person } = caller
      await actAs(deps, caller, async (tx, personId) => {
        const scope = await scopeOf(tx, person?.id ?? null)
        const memory = await readMemory(tx, scope, id)
        if (!memory) throw new ApiError(404, 'NOT_FOUND', 'There is no such memory.')
        const own = memory.personId === personId
        if (person && !permits(person, 'POST /v1/memory/:id/forget', { own }))
          throw new ApiError(403, 'FORBIDDEN', 'Only who asked for it, approvers and owners may do this.')
        await forgetMemory(tx, scope, id, personId)
      })
      return ok({ id, forgotten: true as const })
    },
  }),
  route({
    method: 'GET',
    url: '/v1/memory/stats',
    scope: 'read',
    summary: 'How much is remembered, and how it is searched.',
    answers: {
      200: z.object({
        enabled: z.boolean(),
        total: z.int(),
        kinds: z.partialRecord(Kind, z.int()),
        oldest_at: At.nullable(),
        newest_at: At.nullable(),
        search: z.array(z.enum(['text', 'vectors'])),
        embeddings: z.object({ model: z.string(), memories: z.int() }).nullable(),
        max: z.int().describe('As many are kept.'),
      }),
    },
    async handler(deps, { caller }) {
      const scope = await scopeOf(deps.db, caller.person?.id ?? null)
      const access = deps.memory ?? { searches: [], embedder: null, max: 0 }
      const { oldest, newest, ways, ...stats } = await memoryStats(deps.db, access, scope)
      return ok({
        ...stats,
        enabled: Boolean(deps.memory),
        search: ways,
        oldest_at: isoOrNull(oldest),
        newest_at: isoOrNull(newest),
      })
    },
  }),
]
