import { isRunEnd, type RunStatus } from '../events/states.ts'
import { notUnderstood } from '../runs/notUnderstood.ts'
import { isGroup, listedIn } from '../runs/shownIn.ts'
import type { Sql } from '../storage/sql.ts'

export type TalkRun = {
  id: string
  number: number
  status: RunStatus
  summary: string
  /** Whether the person who writes asked for it. */
  own: boolean
  /** Whether it belongs to the chat and topic it is asked about in. */
  here: boolean
  /** Whether it belongs to the chat, in whatever topic. */
  ofChat: boolean
  /** False for a request that nobody understood: it may be asked again, and there is nothing to tell of it. */
  understood: boolean
  agentName: string | null
  cwd: string | null
}

/** Who writes, and where. */
export type Speaker = { personId: string; chatId: number; topicId: number }

/** Work that ended longer ago than this is asked about by its number. */
const RECENT = "interval '1 day'"
const MOST = 30

/**
 * The runs that words could be about, newest first: those under way and those that ended within a day, of this person
 * or of this chat and topic; in a group none of another chat. Looks of the planner are nobody's. One statement.
 */
export const talkRuns = (sql: Sql, speaker: Speaker): Promise<TalkRun[]> =>
  sql.query<TalkRun>(
    `SELECT r.id, r.number, r.status, coalesce(r.summary, r.request) AS summary, coalesce(r.person_id = $1, false) AS own,
       coalesce(r.chat_id = $2 AND r.topic_id = $3, false) AS here,
       coalesce(r.chat_id = $2, false) AS "ofChat", NOT ${notUnderstood} AS understood, a.name AS "agentName", coalesce(r.cwd, t.cwd) AS cwd
     FROM run r
     LEFT JOIN LATERAL (SELECT agent_id, cwd FROM task WHERE run_id = r.id ORDER BY position LIMIT 1) t ON true
     LEFT JOIN agent a ON a.id = coalesce(r.agent_id, t.agent_id)
     WHERE r.number > 0 AND ${listedIn('r', '$2', speaker.chatId)} AND (r.person_id = $1 OR (r.chat_id = $2 AND r.topic_id = $3))
       AND (r.ended_at IS NULL OR r.ended_at > clock_timestamp() - ${RECENT})
     ORDER BY r.number DESC LIMIT ${MOST}`,
    [speaker.personId, speaker.chatId, speaker.topicId],
  )

/** Whether a run works at the place these words name: a machine, a directory, or both, in any order. Pure. */
export function isAt(run: Pick<TalkRun, 'agentName' | 'cwd'>, names: readonly string[]): boolean {
  const own = [run.agentName ?? '', ...(run.cwd ?? '').split('/').slice(-1)].map((name) => name.toLowerCase())
  return names.every((name) => own.includes(name.toLowerCase()))
}

/**
 * The runs a question is about: those of the person that are under way, or wait for an answer and are newer than the last
 * of theirs that ended; else the same of others in the chat; else the last that ended, the person's own first. In a group
 * none of another chat, whoever asks. Empty when there is none. Pure.
 */
export function askedAbout<
  R extends Pick<TalkRun, 'number' | 'status' | 'own' | 'here' | 'ofChat' | 'understood'>,
>(all: readonly R[], speaker: Pick<Speaker, 'chatId'>): R[] {
  const told = all.filter((run) => run.understood)
  const runs = isGroup(speaker) ? told.filter((run) => run.ofChat) : told
  const lastOwn = runs.find((run) => run.own && isRunEnd(run.status))
  const since = lastOwn?.number ?? 0
  const own = runs.filter((run) => run.own && (isUnderWay(run.status) || isOpenSince(run, since)))
  if (own.length > 0) return own
  const here = runs.filter((run) => run.here && isOpenSince(run, since))
  if (here.length > 0) return here
  const newest = lastOwn ?? runs.find((run) => run.here)
  return newest ? [newest] : []
}

/** Something that is asked about may have waited for an answer for a day: it says nothing of what was done since. */
const isUnderWay = (status: RunStatus): boolean => !isRunEnd(status) && status !== 'awaiting_approval'

const isOpenSince = (run: Pick<TalkRun, 'number' | 'status'>, since: number): boolean =>
  !isRunEnd(run.status) && run.number > since
