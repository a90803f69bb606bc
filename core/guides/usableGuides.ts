import { sha256 } from '../protocol/hash.ts'
import type { Sql } from '../storage/sql.ts'
import { ANYWHERE, type GuideKind, guideShownIn } from './guide.ts'

type Usable<T> = { name: string; hash: string; origins: readonly string[]; value: T }

type Row = { name: string; hash: string; origins: string[] }

/** Read texts that are kept in memory; one that is not there is read again. */
const MOST = 4000

/**
 * Reads all reviewed guides of a kind that may be used in a chat, each call from the ledger: what was reviewed, changed or removed a moment ago by
 * any process counts. Only names and hashes are asked for; a text is read once, since its hash says what it is. A text
 * that does not have its hash, or that `parse` gives null for, is left out.
 */
export function guideReader<T>(
  kind: GuideKind,
  parse: (name: string, text: string) => T | null,
): (sql: Sql, chatId?: number) => Promise<Usable<T>[]> {
  const known = new Map<string, T | null>()
  const keyOf = ({ name, hash }: Row): string => `${hash} ${name}`
  return async (sql, chatId = ANYWHERE) => {
    const rows = await sql.query<Row>(
      `SELECT name, reviewed_hash AS hash, origins FROM guide g
       WHERE kind = $1 AND reviewed_hash IS NOT NULL AND removed_at IS NULL AND ${guideShownIn('$2')} ORDER BY name LIMIT 2000`,
      [kind, chatId],
    )
    const missing = rows.filter((row) => !known.has(keyOf(row)))
    if (missing.length > 0) {
      if (known.size > MOST) known.clear()
      const wanted = known.size === 0 ? rows : missing
      for (const { name, hash, text } of await readTexts(sql, kind, wanted))
        known.set(keyOf({ name, hash, origins: [] }), sha256(text) === hash ? parse(name, text) : null)
    }
    return rows.flatMap((row) => {
      const value = known.get(keyOf(row)) ?? null
      return value === null ? [] : [{ ...row, value }]
    })
  }
}

const readTexts = (sql: Sql, kind: GuideKind, rows: readonly Row[]) =>
  sql.query<{ name: string; hash: string; text: string }>(
    `SELECT name, hash, text FROM guide_text WHERE kind = $1 AND (name, hash) IN (SELECT * FROM unnest($2::text[], $3::text[]))`,
    [kind, rows.map(({ name }) => name), rows.map(({ hash }) => hash)],
  )
