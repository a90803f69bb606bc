/** What of an index a look depends on. Paths are as bytes: git's are. */
export type GitIndex = {
  /** Paths that are repositories of their own. */
  links: Buffer[]
  /** Directories that a sparse index keeps as one entry: what is in them is not told. */
  directories: Buffer[]
  /** An entry that takes its path from the shared index is a repository. */
  nameless: boolean
  /** Shared indexes that this one is a change of. */
  bases: string[]
  /** All paths, where they were asked for. */
  names: Buffer[]
}

type Found = GitIndex & {
  /** Where entries begin: how many are before it, and what of the name before is kept. */
  at: Map<number, { before: number; kept: number }> | null
  end: number
}

const HEADER = 12
/** Of an entry: the mode, and the id that follows times and owners. */
const MODE = 24
const ID = 40
const TYPE = 0o170000
const LINK = 0o160000
const DIRECTORY = 0o040000
const MAX_NAME = 65_536

/**
 * Reads an index (versions 2 to 4; git's `index-format`), for ids of both lengths that git has: an index that reads as
 * both counts as both. Null where it is none, or might read otherwise for git than here. Pure.
 */
export function readGitIndex(bytes: Buffer, withNames = false): GitIndex | null {
  const read = [20, 32].flatMap((id) => readWith(bytes, id, withNames) ?? [])
  if (read.length === 0) return null
  return {
    links: read.flatMap(({ links }) => links),
    directories: read.flatMap(({ directories }) => directories),
    nameless: read.some(({ nameless }) => nameless),
    bases: read.flatMap(({ bases }) => bases),
    names: read.flatMap(({ names }) => names),
  }
}

function readWith(bytes: Buffer, id: number, withNames: boolean): GitIndex | null {
  if (bytes.length < HEADER + id || bytes.toString('latin1', 0, 4) !== 'DIRC') return null
  const version = bytes.readUInt32BE(4)
  if (version < 2 || version > 4) return null
  // git may be told to begin in several places at once.
  const threads = bytes.includes('IEOT', HEADER, 'latin1') && bytes.includes('EOIE', HEADER, 'latin1')
  const found: Found = {
    ...{ links: [], directories: [], nameless: false, bases: [], names: [] },
    at: threads ? new Map() : null,
    end: HEADER,
  }
  const good = readEntries(bytes, version, id, withNames, found) && readExtensions(bytes, id, found)
  return good && endsWhereSaid(bytes, id, found.end) ? found : null
}

function readEntries(bytes: Buffer, version: number, id: number, withNames: boolean, found: Found): boolean {
  const count = bytes.readUInt32BE(8)
  const last = bytes.length - id
  const name = Buffer.alloc(MAX_NAME)
  let length = 0
  let at = HEADER
  for (let i = 0; i < count; i++) {
    const flagsAt = at + ID + id
    if (flagsAt + 4 > last) return false
    const flags = bytes.readUInt16BE(flagsAt)
    let from = flagsAt + ((flags & 0x4000) === 0 ? 2 : 4)
    let kept = 0
    if (version === 4) {
      const strip = varint(bytes, from)
      if (strip === null || strip.value > length) return false
      kept = length - strip.value
      from = strip.next
    }
    const stop = (flags & 0xfff) === 0xfff ? bytes.indexOf(0, from) : from + (flags & 0xfff) - kept
    if (stop < from || stop >= last || bytes[stop] !== 0 || kept + stop - from > MAX_NAME) return false
    found.at?.set(at, { before: i, kept })
    bytes.copy(name, kept, from, stop)
    length = kept + stop - from
    note(found, bytes.readUInt32BE(at + MODE), name.subarray(0, length), withNames)
    at = version === 4 ? stop + 1 : at + ((stop - at + 8) & ~7)
  }
  found.at?.set(at, { before: count, kept: 0 })
  found.end = at
  return at <= last
}

/** git takes a path as far as the first byte that is null. */
function note(found: Found, mode: number, name: Buffer, withNames: boolean): void {
  const type = mode & TYPE
  if (!withNames && type !== LINK && type !== DIRECTORY) return
  const end = name.indexOf(0)
  const path = Buffer.from(end < 0 ? name : name.subarray(0, end))
  if (withNames) found.names.push(path)
  if (type === DIRECTORY) found.directories.push(path)
  if (type === LINK && path.length === 0) found.nameless = true
  else if (type === LINK) found.links.push(path)
}

/** A number as git packs it, and where it ends. */
function varint(bytes: Buffer, at: number): { value: number; next: number } | null {
  let byte = bytes[at++] ?? 0
  let value = byte & 127
  while (byte & 128) {
    if (value > MAX_NAME) return null
    byte = bytes[at++] ?? 0
    value = ((value + 1) << 7) + (byte & 127)
  }
  return { value, next: at }
}

function readExtensions(bytes: Buffer, id: number, found: Found): boolean {
  const last = bytes.length - id
  for (let at = found.end; at + 8 <= last; ) {
    const [from, to] = [at + 8, at + 8 + bytes.readUInt32BE(at + 4)]
    if (to > last) return false
    const data = bytes.subarray(from, to)
    const name = bytes.toString('latin1', at, at + 4)
    if (name === 'link' && !readLink(data, id, found)) return false
    if (name === 'IEOT' && !sameBlocks(data, found)) return false
    at = to
  }
  return true
}

function readLink(data: Buffer, id: number, found: Found): boolean {
  if (data.length < id) return false
  const base = data.toString('hex', 0, id)
  if (/[^0]/.test(base)) found.bases.push(base)
  return true
}

/** Beginnings that entries may be read from, several at once: to be those that reading one after the other has met. */
function sameBlocks(data: Buffer, { at }: Found): boolean {
  if (!at) return true
  let before = 0
  for (let i = 4; i + 8 <= data.length; i += 8) {
    const here = at.get(data.readUInt32BE(i))
    if (!here || here.before !== before || here.kept !== 0) return false
    before += data.readUInt32BE(i + 4)
  }
  return [...at.values()].at(-1)?.before === before
}

/** Where the index says itself that its entries end, at the place where git looks for that. */
function endsWhereSaid(bytes: Buffer, id: number, end: number): boolean {
  const at = bytes.length - id - (8 + 4 + id)
  if (at < HEADER || bytes.toString('latin1', at, at + 4) !== 'EOIE') return true
  return bytes.readUInt32BE(at + 8) === end
}
