import { z } from 'zod'
import { readAnyLogPage } from '../../core/archive/readArchivedPage.ts'
import { type RunLine, runPage } from '../../core/runs/listRuns.ts'
import { LogCursor, logStart } from '../../core/runs/readLogPage.ts'
import { At, iso, isoOrNull, statusOf } from '../answers.ts'
import { cursorOf, cut, NextCursor, pageQuery, placeOf } from '../page.ts'
import { ok, type Route, route } from '../route.ts'
import { RunAnswer, RunParams, runAnswer, runFields, runIdOf } from '../runAnswer.ts'

const RunListAnswer = z.object(runFields)
const lineAnswer = (run: RunLine): z.input<typeof RunListAnswer> => ({
  id: run.id,
  number: run.number,
  status: run.status,
  summary: run.summary,
  asked_by: run.personName,
  agent_name: run.agentName,
  created_at: iso(run.createdAt),
  ended_at: isoOrNull(run.endedAt),
})

/** Numbers of runs, as PostgreSQL's `int` has them. */
const Before = z
  .int()
  .min(1)
  .max(2 ** 31 - 1)

/** What runs there are, and what they printed. */
export const runRoutes: readonly Route[] = [
  route({
    method: 'GET',
    url: '/v1/runs',
    scope: 'read',
    summary: 'Runs, newest first.',
    query: z.strictObject({ status: statusOf('run').optional(), ...pageQuery }),
    answers: { 200: z.object({ runs: z.array(RunListAnswer), next_cursor: NextCursor }) },
    async handler({ db }, { query: { status = null, limit, cursor } }) {
      const before = placeOf(Before, cursor)
      const rows = await runPage(db, { status, before }, limit + 1)
      const [page, next_cursor] = cut(rows, limit, ({ number }) => number)
      return ok({ runs: page.map(lineAnswer), next_cursor })
    },
  }),
  route({
    method: 'GET',
    url: '/v1/runs/:id',
    scope: 'read',
    summary: 'One run: its plan with the hash, its tasks with their attempts, what was asked about it.',
    params: RunParams,
    answers: { 200: RunAnswer },
    errors: { 404: 'There is no such run.' },
    async handler({ db }, { params }) {
      return ok(await runAnswer(db, await runIdOf(db, params.id)))
    },
  }),
  route({
    method: 'GET',
    url: '/v1/runs/:id/logs',
    scope: 'read',
    summary: 'What a run printed, oldest first.',
    description:
      'The cursor is there even when nothing is left: ask with it again for what is printed later. Text is one or more lines.',
    params: RunParams,
    query: z.strictObject({
      task: z.string().max(100).optional().describe('Key of one task.'),
      ...pageQuery,
    }),
    answers: {
      200: z.object({
        lines: z.array(
          z.object({
            task_id: z.uuid(),
            task: z.string(),
            attempt: z.int(),
            stream: z.string(),
            at: At,
            text: z.string(),
          }),
        ),
        next_cursor: z.string(),
        more: z.boolean().describe('Whether there was more to read already.'),
      }),
    },
    errors: { 404: 'There is no such run.' },
    async handler({ db, settings }, { params, query }) {
      const from = placeOf(LogCursor, query.cursor) ?? logStart
      const runId = await runIdOf(db, params.id)
      const { pieces, cursor } = await readAnyLogPage(
        { db, settings },
        runId,
        from,
        query.limit,
        query.task ?? null,
      )
      const lines = pieces.map((piece) => ({
        task_id: piece.taskId,
        task: piece.taskKey,
        attempt: piece.attempt,
        stream: piece.stream,
        at: iso(piece.at),
        text: piece.text,
      }))
      return ok({ lines, next_cursor: cursorOf(cursor), more: pieces.length === query.limit })
    },
  }),
]
