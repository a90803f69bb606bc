import type { Deps } from '../deps.ts'
import { isRunEnd, type RunStatus } from '../events/states.ts'
import type { Machine } from '../fleet/machineFacts.ts'
import { cancelRun } from '../runs/cancelRun.ts'
import type { Sql } from '../storage/sql.ts'
import type { CommitDeps } from './commitRevision.ts'
import { type LookName, lookNames, lookTasks } from './lookTasks.ts'
import type { PlaceFacts } from './placeFacts.ts'
import { type LookFor, startLook } from './startLook.ts'
import { tidyFiles } from './tidyFiles.ts'
import type { Untrusted } from './untrusted.ts'

/** How long planning waits for a look; what is not there by then is done without. */
export const LOOK_MS = 4000
/** A look at a place serves others for so long, unless something may have changed the machine since. */
const FRESH = "interval '60 seconds'"
/** Looks that are looked back over. */
const LOOKS = 200
/** How often the ledger is asked besides on every notice. */
const ASK_MS = 150
/** Characters that are read of one task's output; the prompt's budget cuts further. */
const MAX_OUTPUT = 64_000

type LookDeps = CommitDeps & Pick<Deps, 'db' | 'log'>
type Looking = { place: PlaceFacts; machine: Machine; forRun: LookFor; signal: AbortSignal; ms?: number }

/** What a look found, and the run of the ledger that took it. */
export type Looked = { lookId: string; found: Untrusted[] }

/**
 * What a place looks like, for a question to a model: through read-only tasks on its agent, or from a look of a moment
 * ago. Everything in it is untrusted. Takes LOOK_MS at most; null when the machine is away or nothing came. Once `signal`
 * is aborted, or time is over, the look is cancelled, and with the signal its reason is thrown.
 */
export async function lookAround(deps: LookDeps, looking: Looking): Promise<Looked | null> {
  const { place, machine, forRun, signal, ms = LOOK_MS } = looking
  if (!machine.connected) return null
  const lookId = (await freshLook(deps.db, place)) ?? (await beginLook(deps, forRun, place, machine))
  if (lookId === null) return null
  const ended = await untilEnded(deps, lookId, signal, ms)
  if (!ended) await stopLook(deps, lookId, forRun)
  signal.throwIfAborted()
  const found = await readLook(deps.db, lookId, place)
  return found.length === 0 ? null : { lookId, found }
}

async function beginLook(
  deps: LookDeps,
  forRun: LookFor,
  place: PlaceFacts,
  machine: Machine,
): Promise<string | null> {
  const looks = lookTasks(place)
  return looks && deps.db.tx((tx) => startLook(deps, tx, forRun, looks, machine))
}

/** A look that is under way or has just ended, where no task that may write has begun or ended on the machine since. */
async function freshLook(sql: Sql, { agentId, machineId, cwd }: PlaceFacts): Promise<string | null> {
  const [row] = await sql.query<{ id: string }>(
    `SELECT r.id FROM run r WHERE r.number < 0 AND r.number < (SELECT min(number) FROM run) + ${LOOKS} AND r.agent_id = $1 AND r.cwd = $2
       AND r.created_at > clock_timestamp() - ${FRESH} AND r.status IN ('running', 'succeeded')
       AND NOT EXISTS (SELECT 1 FROM task t JOIN attempt a ON a.task_id = t.id
         WHERE a.agent_id = $1 AND t.machine_id = $3 AND t.effect = 'write' AND a.claimed_at > clock_timestamp() - interval '1 day'
         AND (a.ended_at IS NULL OR a.ended_at > r.created_at))
     ORDER BY r.number LIMIT 1`,
    [agentId, cwd, machineId],
  )
  return row?.id ?? null
}

const hasEnded = async (sql: Sql, lookId: string): Promise<boolean> => {
  const [row] = await sql.query<{ status: RunStatus }>('SELECT status FROM run WHERE id = $1', [lookId])
  return row === undefined || isRunEnd(row.status)
}

/** Resolves with true once the look has ended, with false when time is over or the signal says so. */
async function untilEnded(deps: LookDeps, lookId: string, signal: AbortSignal, ms: number): Promise<boolean> {
  const until = performance.now() + ms
  let notice = (): void => {}
  const unsubscribe = deps.bus.subscribe('run.changed', ({ runId }) => {
    if (runId === lookId) notice()
  })
  const stop = (): void => notice()
  signal.addEventListener('abort', stop)
  try {
    while (!signal.aborted && performance.now() < until) {
      const noticed = new Promise<void>((resolve) => {
        notice = resolve
      })
      if (await hasEnded(deps.db, lookId)) return true
      await Promise.race([noticed, pause(Math.min(ASK_MS, until - performance.now()))])
    }
    return false
  } finally {
    signal.removeEventListener('abort', stop)
    unsubscribe()
  }
}

const pause = (ms: number): Promise<void> => new Promise((resolve) => setTimeout(resolve, Math.max(0, ms)))

/** Others may be waiting for the same look: they find it cancelled and go on with what it had. */
const stopLook = (deps: LookDeps, lookId: string, forRun: LookFor): Promise<unknown> =>
  deps.db.tx((tx) => cancelRun(deps, tx, lookId, forRun.personId))

type Row = { key: string; text: string }

/** The output of the look's tasks that have come to a good end, tidied, each as text from outside. */
async function readLook(sql: Sql, lookId: string, place: PlaceFacts): Promise<Untrusted[]> {
  const rows = await sql.query<Row>(
    `SELECT t.key, left(string_agg(l.text, '' ORDER BY l.seq), ${MAX_OUTPUT}) AS text
     FROM task t JOIN attempt a ON a.task_id = t.id AND a.claim_token = t.claim_token JOIN log_chunk l ON l.attempt_id = a.id
     WHERE t.run_id = $1 AND t.status = 'succeeded' AND l.stream = 'stdout' GROUP BY t.key, t.position ORDER BY t.position`,
    [lookId],
  )
  const origin = `files of ${place.agentName}:${place.repository?.name ?? place.cwd}`
  return rows.flatMap(({ key, text }) => {
    const told = tidied(key, text)
    return told === '' ? [] : [{ origin, name: nameOf(key), text: told }]
  })
}

function tidied(key: string, text: string): string {
  if (key === 'files' || key === 'tracked') return tidyFiles(text)
  return key === 'system' ? tidyTools(text) : text.trim()
}

/** `type` says "git is /usr/bin/git": the names of those it found, after the line about the system. Pure. */
function tidyTools(text: string): string {
  const [system = '', ...found] = text.trim().split('\n')
  const names = found.flatMap((line) => /^([\w-]+) is /.exec(line)?.[1] ?? [])
  return names.length > 0 ? `${system}\ntools: ${names.join(' ')}` : system
}

const nameOf = (key: string): string => (key in lookNames ? lookNames[key as LookName] : key)
