import type { Sql } from '../storage/sql.ts'

/**
 * Frees the files of tasks of which nothing runs any more. Where an agent has not confirmed that yet, they are freed
 * with its confirmation (core/runs/followFrames.ts): until then nobody else, a new attempt of the same task included,
 * may have them.
 */
export const freeConfirmed = (tx: Sql, taskIds: readonly string[]): Promise<object[]> =>
  tx.query(
    `DELETE FROM file_ownership f WHERE f.task_id = ANY($1::uuid[])
     AND NOT EXISTS (SELECT 1 FROM attempt a WHERE a.task_id = f.task_id AND a.exited_at IS NULL)`,
    [taskIds],
  )
