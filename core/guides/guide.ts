import { shownIn } from '../runs/shownIn.ts'
import type { Sql } from '../storage/sql.ts'

export const guideKinds = ['skill', 'playbook'] as const
export type GuideKind = (typeof guideKinds)[number]

/**
 * A text that does nothing until an owner has reviewed exactly it: a skill, or a playbook learned from a run. What was
 * reviewed goes on being used until what took its place is reviewed as well.
 */
export type Guide = {
  kind: GuideKind
  name: string
  /** Where the text comes from: a file, an address, `run #12`. */
  source: string
  currentHash: string
  reviewedHash: string | null
  /** Of the newest text. */
  description: string
  /** Text from elsewhere that the learned run was planned with in view. */
  origins: readonly string[]
  foundAt: Date
  reviewedAt: Date | null
  removedAt: Date | null
}

/** `new`: never reviewed; `changed`: its newest text is not the reviewed one, which is still used. */
export type GuideState = 'new' | 'changed' | 'reviewed' | 'removed'

export function guideState(guide: Pick<Guide, 'currentHash' | 'reviewedHash' | 'removedAt'>): GuideState {
  if (guide.removedAt) return 'removed'
  if (guide.reviewedHash === null) return 'new'
  return guide.reviewedHash === guide.currentHash ? 'reviewed' : 'changed'
}

export const stateWords: Readonly<Record<GuideState, string>> = {
  new: 'waits for review, not used',
  changed: 'changed: waits for review, the reviewed text is used',
  reviewed: 'reviewed, in use',
  removed: 'removed, not used',
}

/** A hash as people compare it. */
export const shortHash = (hash: string): string => hash.slice(0, 12)

const columns = `g.kind, g.name, g.source, g.current_hash AS "currentHash", g.reviewed_hash AS "reviewedHash", g.origins,
  g.found_at AS "foundAt", g.reviewed_at AS "reviewedAt", g.removed_at AS "removedAt", t.description`
const from = `guide g JOIN guide_text t ON t.kind = g.kind AND t.name = g.name AND t.hash = g.current_hash`

/**
 * In SQL: whether a guide (alias `g`) may be shown and used in a chat (a parameter). What was learned from a run goes
 * where the run may be shown; without its run, to no group.
 */
export const guideShownIn = (chat: string): string =>
  `(g.run_id IS NULL OR ${chat}::bigint >= 0 OR EXISTS (SELECT 1 FROM run r WHERE r.id = g.run_id AND ${shownIn('r', chat)}))`

/** Where all may be shown: in private, and to programs. */
export const ANYWHERE = 0

/** What there is of a kind for a chat, by name; what waits for a review comes first. Without those that were removed. */
export const listGuides = (
  sql: Sql,
  kind: GuideKind,
  chatId: number = ANYWHERE,
  limit = 2000,
): Promise<Guide[]> =>
  sql.query<Guide>(
    `SELECT ${columns} FROM ${from} WHERE g.kind = $1 AND g.removed_at IS NULL AND ${guideShownIn('$3')}
     ORDER BY g.reviewed_hash IS NOT DISTINCT FROM g.current_hash, g.name LIMIT $2`,
    [kind, limit, chatId],
  )

/** One guide with its newest text; null when there is none of that name for this chat. */
export async function readGuide(
  sql: Sql,
  kind: GuideKind,
  name: string,
  chatId: number = ANYWHERE,
): Promise<(Guide & { text: string }) | null> {
  const [row] = await sql.query<Guide & { text: string }>(
    `SELECT ${columns}, t.text FROM ${from} WHERE g.kind = $1 AND g.name = $2 AND ${guideShownIn('$3')}`,
    [kind, name, chatId],
  )
  return row ?? null
}

/** The text of a guide that was reviewed; null when none was. */
export async function reviewedText(sql: Sql, kind: GuideKind, name: string): Promise<string | null> {
  const [row] = await sql.query<{ text: string }>(
    `SELECT t.text FROM guide g JOIN guide_text t ON t.kind = g.kind AND t.name = g.name AND t.hash = g.reviewed_hash
     WHERE g.kind = $1 AND g.name = $2`,
    [kind, name],
  )
  return row?.text ?? null
}
