import { canonicalJson, sha256 } from '../protocol/hash.ts'

/** One row of the trail, as it stands in the ledger. */
export type AuditRow = {
  /** 1, 2, 3, ... */
  position: number
  /** The event it tells of. */
  event_seq: number
  at: Date
  type: string
  /** In words, as they were then. */
  who: string
  who_id: string | null
  subject: Record<string, unknown>
  data: Record<string, unknown>
  /** Hash of the row before. */
  previous: string
  hash: string
}

/** Where a trail ends: enough to find later that it was shortened or written anew. */
export type Head = { position: number; hash: string }

/** What stands before the first row. */
export const GENESIS: Head = { position: 0, hash: '0'.repeat(64) }

/** SHA-256 (hex) over the canonical JSON of all of a row but its own hash. */
export function rowHash({ hash: _, at, ...row }: Omit<AuditRow, 'hash'> & { hash?: string }): string {
  return sha256(canonicalJson({ ...row, at: at.toISOString() }))
}

/** `12:9f3a...`, as `skynet audit head` prints it. */
export const headText = ({ position, hash }: Head): string => `${position}:${hash}`

/** A head from its text; null for anything else. */
export function parseHead(text: string): Head | null {
  const [, position, hash] = /^(\d{1,15}):([0-9a-f]{64})$/.exec(text.trim()) ?? []
  return position && hash ? { position: Number(position), hash } : null
}
