import { crc32 } from 'node:zlib'

/**
 * One line of the journal: `<crc32> <kind> <execution id> <rest>\n`. Kinds: `B` an attempt begins (rest: JSON),
 * `F` a frame of it (rest: `<seq> <frame JSON>`), `A` everything up to a seq is acknowledged, `R` its result is
 * in the ledger.
 */
export type JournalRecord =
  | { kind: 'B'; id: string; begin: Begin }
  | { kind: 'F'; id: string; seq: number; frame: string }
  | { kind: 'A'; id: string; seq: number }
  | { kind: 'R'; id: string }

/** What an attempt is known by. Without token and hash: a cancel that came before its dispatch. */
export type Begin = { token: string | null; hash: string | null; at: number }

const bodyOf = (record: JournalRecord): string => {
  if (record.kind === 'B') return `B ${record.id} ${JSON.stringify(record.begin)}`
  if (record.kind === 'F') return `F ${record.id} ${record.seq} ${record.frame}`
  if (record.kind === 'A') return `A ${record.id} ${record.seq}`
  return `R ${record.id}`
}

/** The line of a record, with its checksum and line end. */
export function encodeRecord(record: JournalRecord): Buffer {
  const body = Buffer.from(bodyOf(record))
  const sum = crc32(body).toString(16).padStart(8, '0')
  return Buffer.concat([Buffer.from(`${sum} `), body, Buffer.from('\n')])
}

/** Bytes of a frame's line before the frame's JSON. */
export const frameStart = (id: string, seq: number): number => 9 + 2 + id.length + 1 + String(seq).length + 1

/** Reads a line (without its end). Null when it is torn or was never whole: the checksum decides. */
export function decodeRecord(line: Buffer): JournalRecord | null {
  if (line.length < 12 || line[8] !== 0x20) return null
  const sum = Number.parseInt(line.toString('latin1', 0, 8), 16)
  if (crc32(line.subarray(9)) !== sum) return null
  const [, kind, id = '', rest = ''] = /^(\w) (\S+) ?([\s\S]*)$/.exec(line.toString('utf8', 9)) ?? []
  if (kind === 'B') return { kind, id, begin: JSON.parse(rest) as Begin }
  if (kind === 'A') return { kind, id, seq: Number(rest) }
  if (kind === 'R') return { kind, id }
  if (kind !== 'F') return null
  const space = rest.indexOf(' ')
  return { kind, id, seq: Number(rest.slice(0, space)), frame: rest.slice(space + 1) }
}
