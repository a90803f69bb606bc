import { expect, vi } from 'vitest'
import type { Sql } from '../../core/storage/sql.ts'

/**
 * Every event there is can be read: a transaction that is still open in any database of the server, such as that of a test
 * beside this one, holds back what readers may see.
 */
export const allReadable = (db: Pick<Sql, 'query'>): Promise<void> =>
  vi.waitFor(
    async () => {
      const late = await db.query(
        'SELECT 1 FROM event WHERE xid >= pg_snapshot_xmin(pg_current_snapshot()) LIMIT 1',
      )
      expect(late).toEqual([])
    },
    { timeout: 30_000, interval: 5 },
  )
