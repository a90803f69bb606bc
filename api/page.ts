import { z } from 'zod'
import { parsePart } from './errors.ts'

/** What every list takes. */
export const pageQuery = {
  limit: z.coerce.number<string | number>().int().min(1).max(200).default(50).describe('How many, at most.'),
  cursor: z.string().max(12_000).optional().describe('`next_cursor` of the page before.'),
}
/** What every list answers besides its rows; null: there are no more. */
export const NextCursor = z.string().nullable()

/** A place in a list, opaque to who gets it. */
export const cursorOf = (place: unknown): string => Buffer.from(JSON.stringify(place)).toString('base64url')

const Encoded = z.string().transform((text, ctx): unknown => {
  try {
    return JSON.parse(Buffer.from(text, 'base64url').toString('utf8'))
  } catch {
    ctx.addIssue({ code: 'custom', message: 'not a cursor' })
    return z.NEVER
  }
})

/** The place a cursor stands for; null without one. Throws 400 for what was not given out here. */
export function placeOf<T extends z.ZodType>(schema: T, cursor: string | undefined): z.output<T> | null {
  if (cursor === undefined) return null
  const place = schema.safeParse(parsePart('cursor', Encoded, cursor))
  if (place.success) return place.data
  return parsePart('cursor', z.never('not a cursor of this list; take `next_cursor`, or none'), cursor)
}

/** The rows of a page out of one row more than asked for, and where the next begins. */
export function cut<T>(rows: readonly T[], limit: number, place: (row: T) => unknown): [T[], string | null] {
  const page = rows.slice(0, limit)
  const last = page.at(-1)
  return [page, rows.length > limit && last !== undefined ? cursorOf(place(last)) : null]
}
