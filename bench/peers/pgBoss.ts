import pg from 'pg'
import { PgBoss } from 'pg-boss'
import type { Drainer } from '../peers.ts'

/** Fetched and completed in batches; a completion names the attempt, so that a late one is refused. */
export async function openPgBoss(url: string): Promise<Drainer> {
  const boss = new PgBoss({ connectionString: url, supervise: false, schedule: false, max: 8 })
  boss.on('error', (error) => console.error(error))
  await boss.start()
  await boss.createQueue('noop')
  const pool = new pg.Pool({ connectionString: url, max: 1 })
  const lane = async (): Promise<void> => {
    for (;;) {
      const jobs = await boss.fetch('noop', { batchSize: 50, includeMetadata: true })
      if (jobs.length === 0) return
      await boss.complete(
        'noop',
        jobs.map(({ id, retryCount }) => ({ id, retryCount })),
      )
    }
  }
  return {
    fill: async (count) => {
      for (let done = 0; done < count; done += 1000)
        await boss.insert(
          'noop',
          Array.from({ length: Math.min(1000, count - done) }, () => ({})),
        )
    },
    drain: async () => {
      await Promise.all([lane(), lane(), lane(), lane()])
    },
    left: async () => {
      const { rows } = await pool.query(
        "SELECT count(*)::int AS n FROM pgboss.job WHERE state <> 'completed'",
      )
      return rows[0].n
    },
    close: async () => {
      await pool.end()
      await boss.stop({ graceful: false })
    },
  }
}
