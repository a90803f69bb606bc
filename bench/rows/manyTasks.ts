import type { Database } from '../../core/storage/openDatabase.ts'

const columnsOf = async (db: Database, table: string, replaced: readonly string[]): Promise<string> => {
  const rows = await db.query<{ name: string }>(
    "SELECT column_name AS name FROM information_schema.columns WHERE table_name = $1 AND table_schema = 'public' AND is_identity = 'NO' AND coalesce(column_default, '') NOT LIKE 'nextval%'",
    [table],
  )
  return rows
    .map(({ name }) => name)
    .filter((name) => !replaced.includes(name))
    .join(', ')
}

/**
 * `copies` more runs like this one, with their plan, tasks and events, written in bulk: a long queue in a moment. The run
 * was enqueued as any other; what is copied differs in its ids alone.
 */
export async function multiplyRun(db: Database, runId: string, copies: number): Promise<void> {
  if (copies <= 0) return
  const [run, plan, task] = await Promise.all([
    columnsOf(db, 'run', ['id', 'number']),
    columnsOf(db, 'plan', ['id', 'run_id']),
    columnsOf(db, 'task', ['id', 'run_id', 'plan_id']),
  ])
  await db.query(
    `WITH copy AS MATERIALIZED (SELECT gen_random_uuid() AS run_id, gen_random_uuid() AS plan_id FROM generate_series(1, $2::int)),
     runs AS (INSERT INTO run (id, ${run}) SELECT copy.run_id, ${run} FROM copy, run r WHERE r.id = $1),
     plans AS (INSERT INTO plan (id, run_id, ${plan}) SELECT copy.plan_id, copy.run_id, ${plan} FROM copy, plan p WHERE p.run_id = $1)
     INSERT INTO task (id, run_id, plan_id, ${task}) SELECT gen_random_uuid(), copy.run_id, copy.plan_id, ${task} FROM copy, task t WHERE t.run_id = $1`,
    [runId, copies],
  )
  for (const table of ['run', 'plan', 'task']) await db.query(`ANALYZE ${table}`)
}
