import { createHash } from 'node:crypto'
import type { InspectedFile } from '../protocol/frames.ts'
import { holdsSecrets } from '../redaction/secretNames.ts'
import type { Sql } from '../storage/sql.ts'

/**
 * A file that a plan rests on, as it was when people were asked. `text`: what it says, redacted; none where it is large,
 * no text, or secret by its name. `whole`: that is all of it, by its hash; else parts are hidden, or the agent's word.
 */
export type PlanFile = {
  agent_id: string
  path: string
  sha256: string
  size: number
  text?: string
  whole: boolean
}

/** What an agent said of a file as it is kept; null for one that is not there. Pure. */
export function planFile(
  agentId: string,
  { path, sha256, size = 0, text }: InspectedFile,
  redact: (text: string) => string,
): PlanFile | null {
  if (sha256 === null) return null
  const name = path.slice(path.lastIndexOf('/') + 1)
  const shown = text === undefined || holdsSecrets(name) ? undefined : redact(text)
  const whole = shown !== undefined && createHash('sha256').update(shown).digest('hex') === sha256
  return { agent_id: agentId, path, sha256, size, ...(shown === undefined ? {} : { text: shown }), whole }
}

/** What two versions of a plan rest on: the newest, and the one before where this is a revision. */
export type PlanFiles = { now: PlanFile[]; before: PlanFile[] }

export const noFiles: PlanFiles = { now: [], before: [] }

/** The files of a run's newest plan, with their texts. */
export async function readPlanFiles(sql: Sql, runId: string): Promise<PlanFiles> {
  const [row] = await sql.query<{ now: PlanFile[] | null; before: PlanFile[] | null }>(
    `SELECT p.files AS now, (SELECT o.files FROM plan o WHERE o.run_id = p.run_id AND o.version = p.version - 1) AS before
     FROM run r JOIN plan p ON p.run_id = r.id AND p.version = r.plan_version WHERE r.id = $1`,
    [runId],
  )
  return { now: row?.now ?? [], before: row?.before ?? [] }
}
