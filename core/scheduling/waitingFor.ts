import { assertNever } from '../assertNever.ts'
import { ANY_AGENT } from '../fleet/outsideAgents.ts'
import { lockedDown } from '../people/lockdown.ts'
import { shownIn } from '../runs/shownIn.ts'
import type { Sql } from '../storage/sql.ts'
import { AGENT_SLOTS } from './claimTasks.ts'

type TaskName = { run: number; key: string; title: string }
/** `foreign`: its run may not be shown where the run of what waits for it is. */
type Holder = TaskName & { foreign?: boolean }

/** What a task that is not at work waits for. */
export type Waiting =
  | { for: 'approval'; code: string | null }
  | { for: 'task'; tasks: TaskName[] }
  | { for: 'lockdown' }
  | { for: 'resume' }
  | { for: 'machine'; name: string; since: Date | null }
  | { for: 'gateway'; name: string }
  | { for: 'file'; path: string; holder: Holder }
  | { for: 'time'; until: Date }
  | { for: 'slots'; name: string; held: number }
  /** Somebody who fetches it; `name` null: any agent that can do it. */
  | { for: 'fetching'; name: string | null }
  /** Nothing but the next look of the scheduler, which is for those before it first. */
  | { for: 'turn' }

type Row = {
  id: string
  status: 'held' | 'blocked' | 'queued'
  dispatch: string
  agent_id: string
  code: string | null
  before: TaskName[] | null
  locked: boolean
  paused: boolean
  agent: string
  connected: boolean
  since: Date | null
  reached: boolean
  gateway: string | null
  file: { path: string; holder: Holder } | null
  until: Date | null
  held: number
}

/** Tasks that a task waits for are named up to here. */
const MOST_NAMED = 3

/**
 * What each of these tasks waits for now; those that are at work or have ended are left out. Read when somebody asks,
 * so that a queue of any length costs no writes; the cost goes by the number of tasks asked about.
 */
export async function waitingFor(sql: Sql, taskIds: readonly string[]): Promise<Map<string, Waiting>> {
  if (taskIds.length === 0) return new Map()
  const rows = await sql.query<Row>(
    `SELECT t.id, t.status, t.dispatch, t.agent_id, r.status = 'paused' AS paused, ${lockedDown} AS locked,
       (SELECT p.code FROM approval p WHERE p.run_id = t.run_id AND p.status = 'pending' ORDER BY p.created_at DESC LIMIT 1) AS code,
       (SELECT json_agg(x) FROM (SELECT xr.number AS run, x.key, x.title FROM task_dependency d JOIN task x ON x.id = d.depends_on_id JOIN run xr ON xr.id = x.run_id
         WHERE d.task_id = t.id AND x.status <> 'succeeded' ORDER BY x.position LIMIT ${MOST_NAMED}) x) AS before,
       a.name AS agent, a.connected AND a.last_seen_at > clock_timestamp() - interval '30 s' AS connected, coalesce(a.disconnected_at, a.last_seen_at) AS since,
       EXISTS (SELECT 1 FROM agent_link l JOIN gateway g ON g.id = l.gateway_id WHERE l.agent_id = a.id AND g.open_until IS NULL) AS reached,
       (SELECT g.name FROM agent_link l JOIN gateway g ON g.id = l.gateway_id WHERE l.agent_id = a.id ORDER BY g.name LIMIT 1) AS gateway,
       (SELECT json_build_object('path', f.path, 'holder', json_build_object('run', hr.number, 'key', h.key, 'title', h.title, 'foreign', NOT ${shownIn('hr', 'coalesce(r.chat_id, 0)')}))
         FROM unnest(t.owns) p JOIN file_ownership f ON f.machine_id = t.machine_id JOIN task h ON h.id = f.task_id JOIN run hr ON hr.id = h.run_id
         WHERE f.path = p OR starts_with(f.path, rtrim(p, '/') || '/') OR starts_with(p, rtrim(f.path, '/') || '/') LIMIT 1) AS file,
       CASE WHEN t.not_before > clock_timestamp() THEN t.not_before END AS until,
       (SELECT count(*) FROM attempt x WHERE x.agent_id = a.id AND x.status IN ('claimed', 'accepted', 'started')) AS held
     FROM task t JOIN run r ON r.id = t.run_id JOIN agent a ON a.id = t.agent_id
     WHERE t.id = ANY($1::uuid[]) AND t.status IN ('held', 'blocked', 'queued')`,
    [taskIds],
  )
  return new Map(rows.map((row) => [row.id, waitingOf(row)]))
}

/** The first thing in its way; what comes after it does not matter yet. */
function waitingOf(row: Row): Waiting {
  if (row.status === 'held') return { for: 'approval', code: row.code }
  if (row.status === 'blocked') return { for: 'task', tasks: row.before ?? [] }
  if (row.locked) return { for: 'lockdown' }
  if (row.paused) return { for: 'resume' }
  if (row.dispatch === 'push' && !row.connected) return { for: 'machine', name: row.agent, since: row.since }
  if (row.dispatch === 'push' && !row.reached) return { for: 'gateway', name: row.gateway ?? row.agent }
  if (row.file) return { for: 'file', ...row.file }
  if (row.until) return { for: 'time', until: row.until }
  if (row.dispatch === 'pull') return { for: 'fetching', name: row.agent_id === ANY_AGENT ? null : row.agent }
  return row.held >= AGENT_SLOTS ? { for: 'slots', name: row.agent, held: row.held } : { for: 'turn' }
}

const nameOf = ({ run, key, title }: TaskName): string => `${run}.${key} ${title}`

/** In plain words, as they follow "waits for". Pure. */
export function waitingWords(waiting: Waiting): string {
  switch (waiting.for) {
    case 'approval':
      return waiting.code ? `approval ${waiting.code}` : 'approval'
    case 'task':
      return waiting.tasks.map(nameOf).join(', ') || 'the tasks before it'
    case 'lockdown':
      return 'the lockdown to be lifted'
    case 'resume':
      return 'its run, which is paused'
    case 'machine':
      return `machine ${waiting.name}, which is offline`
    case 'gateway':
      return `gateway ${waiting.name}, which does not answer`
    case 'file':
      return `file ${waiting.path}, held by ${nameOf(waiting.holder)}`
    case 'time':
      return `${waiting.until.toISOString()}, when it is tried again`
    case 'slots':
      return `a free slot of ${waiting.name}, which has ${waiting.held} tasks at work`
    case 'fetching':
      return waiting.name ? `${waiting.name} to fetch it` : 'an agent to fetch it'
    case 'turn':
      return 'its turn'
    default:
      return assertNever(waiting)
  }
}
