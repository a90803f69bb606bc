import type { FastifyRequest } from 'fastify'
import { z } from 'zod'
import {
  CursorError,
  hasRunEvents,
  newestCursor,
  OLDEST,
  readEventPage,
  readRunEvents,
} from '../../core/events/readEvents.ts'
import { isRunEnd } from '../../core/events/states.ts'
import { eventTypes } from '../../core/events/tellEvent.ts'
import type { Sql } from '../../core/storage/sql.ts'
import { At } from '../answers.ts'
import { ApiError } from '../errors.ts'
import { eventAnswer, follow, type Source } from '../eventStream.ts'
import { answer, ok, type Route, route } from '../route.ts'
import { RunParams, runIdOf } from '../runAnswer.ts'

/** Events of a message batch of a stream, at most. */
const BATCH = 200

const EventAnswer = z.object({
  cursor: z.string().describe('Where this event stands; `after` it come the next.'),
  seq: z.int().describe('Of two events of one thing, the higher happened later.'),
  type: z.string(),
  run_id: z.uuid().nullable(),
  task_id: z.uuid().nullable(),
  attempt_id: z.uuid().nullable(),
  approval_id: z.uuid().nullable(),
  agent_id: z.uuid().nullable(),
  data: z.record(z.string(), z.unknown()),
  at: At,
})

const After = z
  .string()
  .max(100)
  .optional()
  .describe('A cursor; none: from the oldest; `newest`: only what comes from now on.')
const Types = z
  .string()
  .max(4000)
  .transform((text) => text.split(',').filter(Boolean))
  .pipe(z.array(z.enum(eventTypes as [string, ...string[]])).min(1))
  .optional()
  .describe('Only these types, with commas between them.')

const stream = { kind: 'stream', media: 'text/event-stream', message: EventAnswer } as const

/** What happened, in the order of the ledger. */
export const eventRoutes: readonly Route[] = [
  route({
    method: 'GET',
    url: '/v1/events',
    scope: 'read',
    summary: 'What happened, oldest first. Readers that go on from next_cursor miss nothing.',
    description: 'A page may be short, even empty, while there is `more`. next_cursor is always there.',
    query: z.strictObject({
      after: After,
      types: Types,
      limit: z.coerce.number<string | number>().int().min(1).max(200).default(50),
    }),
    answers: {
      200: z.object({ events: z.array(EventAnswer), next_cursor: z.string(), more: z.boolean() }),
    },
    async handler({ db }, { query: { after, types = null, limit } }) {
      const from = await startOf(db, after)
      const page = await cursorChecked(readEventPage(db, from, limit, types))
      return ok({ events: page.events.map(eventAnswer), next_cursor: page.cursor, more: page.more })
    },
  }),
  route({
    method: 'GET',
    url: '/v1/events/stream',
    scope: 'read',
    summary: 'The same as server-sent events, as they happen. Last-Event-ID goes on where a reader was.',
    query: z.strictObject({ after: After, types: Types }),
    answers: { 200: stream },
    async handler(deps, { query: { after, types = null }, request }) {
      const from = await startOf(deps.db, lastEventId(request) ?? after)
      const source = { read: (cursor: string) => readEventPage(deps.db, cursor, BATCH, types) }
      await cursorChecked(source.read(from))
      return ok(follow(deps, request, from, source))
    },
  }),
  route({
    method: 'GET',
    url: '/v1/runs/:id/stream',
    scope: 'read',
    summary: 'The events of one run, as they happen. Ends with `event: end` once the run has ended.',
    description: '204 when it has ended and Last-Event-ID is its last event: there is nothing to come.',
    params: RunParams,
    query: z.strictObject({ after: After }),
    answers: { 200: stream, 204: null },
    errors: { 404: 'There is no such run.' },
    async handler(deps, { params, query, request }) {
      const runId = await runIdOf(deps.db, params.id)
      const last = lastEventId(request)
      const from = await startOf(deps.db, last ?? query.after)
      const source = sourceOf(deps.db, runId)
      const end = await cursorChecked(source.end(from))
      if (end && last !== undefined) return answer(204, null)
      return ok(follow(deps, request, from, source))
    },
  }),
]

function sourceOf(db: Sql, runId: string): Required<Source> {
  return {
    read: async (after) => {
      const events = await readRunEvents(db, runId, after, BATCH)
      return { events, cursor: events.at(-1)?.cursor ?? after, more: events.length === BATCH }
    },
    end: async (after) => {
      const [run] = await db.query<{ status: string }>('SELECT status FROM run WHERE id = $1', [runId])
      if (!run || !isRunEnd(run.status) || (await hasRunEvents(db, runId, after))) return null
      return { status: run.status }
    },
  }
}

const lastEventId = (request: FastifyRequest): string | undefined => {
  const id = request.headers['last-event-id']
  return typeof id === 'string' && id !== '' ? id : undefined
}

const startOf = async (db: Sql, after: string | undefined): Promise<string> =>
  after === 'newest' ? newestCursor(db) : (after ?? OLDEST)

const cursorChecked = <T>(work: Promise<T>): Promise<T> =>
  work.catch((error) => {
    if (error instanceof CursorError) throw new ApiError(400, 'INVALID', `after: ${error.message}`)
    throw error
  })
