import { z } from 'zod'
import { notedHeads } from '../../core/audit/notedHeads.ts'
import { headText, parseHead } from '../../core/audit/row.ts'
import { sealAuditOnce } from '../../core/audit/seal.ts'
import { newestRows, verifyAudit } from '../../core/audit/verify.ts'
import { At, iso } from '../answers.ts'
import { cut, NextCursor, pageQuery, placeOf } from '../page.ts'
import { ok, type Route, route } from '../route.ts'

const Row = z.object({
  position: z.int().describe('1, 2, 3, ...'),
  event_seq: z.int().describe('The event it tells of.'),
  at: At,
  type: z.string(),
  who: z.string().describe('In words, as they were then.'),
  who_id: z.uuid().nullable(),
  subject: z.record(z.string(), z.unknown()),
  data: z.record(z.string(), z.unknown()),
  previous: z.string(),
  hash: z.string(),
})
const HeadText = z.string().refine((text) => parseHead(text) !== null, 'NUMBER:HASH')

/** Who did what, and whether the record of it is whole. */
export const auditRoutes: readonly Route[] = [
  route({
    method: 'GET',
    url: '/v1/audit',
    scope: 'admin',
    summary:
      'Who did what, newest first: a chain of hashes over decisions, roles, tokens, cancels and the like.',
    query: z.strictObject(pageQuery),
    answers: { 200: z.object({ audit: z.array(Row), next_cursor: NextCursor }) },
    async handler({ db }, { query: { limit, cursor } }) {
      const before = placeOf(z.int().positive(), cursor)
      if (before === null) await sealAuditOnce({ db })
      const rows = await newestRows(db, limit + 1, before ?? undefined)
      const [page, next_cursor] = cut(rows, limit, (row) => row.position)
      return ok({ audit: page.map((row) => ({ ...row, at: iso(row.at) })), next_cursor })
    },
  }),
  route({
    method: 'POST',
    url: '/v1/audit/verify',
    scope: 'admin',
    summary: 'Whether that chain is whole, and fits the heads that were noted before.',
    body: z.strictObject({ heads: z.array(HeadText).max(1000).optional() }).optional(),
    example: {},
    deadlineMs: 60_000,
    answers: {
      200: z.object({
        whole: z.boolean(),
        rows: z.int(),
        head: z.string().describe('NUMBER:HASH of the last row: note it elsewhere.'),
        faults: z.array(z.object({ kind: z.string(), position: z.int(), text: z.string() })),
      }),
    },
    async handler({ db, settings }, { body }) {
      await sealAuditOnce({ db })
      const given = (body?.heads ?? []).flatMap((text) => parseHead(text) ?? [])
      const noted = [...(await notedHeads(settings.headsFile)), ...given]
      const { rows, head, faults } = await verifyAudit(db, noted)
      return ok({ whole: faults.length === 0, rows, head: headText(head), faults })
    },
  }),
]
