import type { Sql } from './sql.ts'

/**
 * Takes or renews the named lease for `ms` milliseconds, by PostgreSQL's clock. True while `holder` has it;
 * false while another does. Idempotent for the holder.
 */
export async function holdLease(sql: Sql, name: string, holder: string, ms: number): Promise<boolean> {
  const rows = await sql.query(
    `INSERT INTO lease AS l (name, holder, until) VALUES ($1, $2, clock_timestamp() + $3 * interval '1 ms')
     ON CONFLICT (name) DO UPDATE SET holder = $2, until = clock_timestamp() + $3 * interval '1 ms'
     WHERE l.holder = $2 OR l.until < clock_timestamp() RETURNING name`,
    [name, holder, ms],
  )
  return rows.length > 0
}

/** Gives the lease back, if `holder` still has it. */
export const dropLease = (sql: Sql, name: string, holder: string): Promise<object[]> =>
  sql.query('DELETE FROM lease WHERE name = $1 AND holder = $2', [name, holder])
