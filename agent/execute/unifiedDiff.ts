import { ActionFault } from './run.ts'

export type Hunk = {
  at: number
  before: string[]
  after: string[]
  noEndBefore: boolean
  noEndAfter: boolean
}
/** `source` null: the file is created; `target` null: it is deleted. Names without their `a/` and `b/`. */
export type FilePatch = { source: string | null; target: string | null; hunks: Hunk[] }

const unsupported = /^(rename (from|to)|copy (from|to)|GIT binary patch|Binary files|(old|new) mode) ?/

/**
 * Reads a unified diff (the format of diff -u and git). Strict: counts must be right, renames, modes and binary
 * changes are refused. Throws ActionFault that names the line.
 */
export function parsePatch(text: string): FilePatch[] {
  const lines = text.split('\n')
  const files: FilePatch[] = []
  for (let i = 0; i < lines.length; ) {
    const line = lines[i] ?? ''
    if (unsupported.test(line)) throw fault(i, `cannot do this: ${line}`)
    if (line.startsWith('--- ') && lines[i + 1]?.startsWith('+++ ')) {
      const [file, next] = parseFile(lines, i)
      files.push(file)
      i = next
    } else if (line.startsWith('@@')) throw fault(i, 'a hunk stands before any file')
    else i++
  }
  if (files.length === 0) throw new ActionFault('the patch names no file (it needs --- and +++ lines)')
  return files
}

function parseFile(lines: string[], start: number): [FilePatch, number] {
  const file: FilePatch = {
    source: nameOf(lines[start] ?? '', 'a/'),
    target: nameOf(lines[start + 1] ?? '', 'b/'),
    hunks: [],
  }
  let i = start + 2
  while (lines[i]?.startsWith('@@')) {
    const [hunk, next] = parseHunk(lines, i)
    file.hunks.push(hunk)
    i = next
  }
  if (file.hunks.length === 0) throw fault(start, 'a file without a hunk')
  return [file, i]
}

/** After the name diff -u puts a tab and a time. */
function nameOf(line: string, prefix: string): string | null {
  const name = (line.slice(4).split('\t')[0] ?? '').replace(/\r$/, '')
  if (name === '/dev/null') return null
  if (name.startsWith('"')) throw new ActionFault(`quoted file names cannot be read: ${name}`)
  return name.startsWith(prefix) ? name.slice(prefix.length) : name
}

function parseHunk(lines: string[], start: number): [Hunk, number] {
  const head = /^@@ -(\d+)(?:,(\d+))? \+\d+(?:,(\d+))? @@/.exec(lines[start] ?? '')
  if (!head) throw fault(start, 'a hunk header that cannot be read')
  const want = { before: Number(head[2] ?? 1), after: Number(head[3] ?? 1) }
  const hunk: Hunk = { at: Number(head[1]), before: [], after: [], noEndBefore: false, noEndAfter: false }
  let i = start + 1
  let last = ''
  while (hunk.before.length < want.before || hunk.after.length < want.after || lines[i]?.startsWith('\\')) {
    const line = lines[i]
    if (line === undefined) throw fault(start, 'a hunk that ends too early')
    last = takeLine(hunk, line, last, i++)
  }
  if (hunk.before.length !== want.before || hunk.after.length !== want.after)
    throw fault(start, 'a hunk whose line counts are wrong')
  return [hunk, i]
}

function takeLine(hunk: Hunk, line: string, last: string, i: number): string {
  const kind = line[0] ?? ' '
  const text = line.slice(1)
  if (kind === ' ' || kind === '-') hunk.before.push(text)
  if (kind === ' ' || kind === '+') hunk.after.push(text)
  if (kind === '\\') {
    if (last !== '+') hunk.noEndBefore = true
    if (last !== '-') hunk.noEndAfter = true
  } else if (!' -+'.includes(kind)) throw fault(i, 'a line that is neither context nor change')
  return kind
}

/**
 * The content after all hunks. Each must match exactly, where it says or at the nearest place after the hunk
 * before it. Throws ActionFault and changes nothing otherwise.
 */
export function applyHunks(content: string, hunks: Hunk[], name: string): string {
  const lines = content === '' ? [] : content.split('\n')
  let endsWithNewline = content === '' || lines.at(-1) === ''
  if (lines.at(-1) === '') lines.pop()
  let from = 0
  let shift = 0
  for (const [i, hunk] of hunks.entries()) {
    const wanted = (hunk.before.length === 0 ? hunk.at : hunk.at - 1) + shift
    const at = findPlace(lines, hunk, wanted, from, endsWithNewline)
    if (at === null) throw new ActionFault(`hunk ${i + 1} does not fit ${name}: its lines are not there`)
    lines.splice(at, hunk.before.length, ...hunk.after)
    from = at + hunk.after.length
    shift = at - (wanted - shift) + hunk.after.length - hunk.before.length
    if (from === lines.length) endsWithNewline = !hunk.noEndAfter
  }
  return lines.length === 0 ? '' : lines.join('\n') + (endsWithNewline ? '\n' : '')
}

function findPlace(
  lines: string[],
  hunk: Hunk,
  wanted: number,
  from: number,
  endsWithNewline: boolean,
): number | null {
  const last = lines.length - hunk.before.length
  const fits = (at: number): boolean => {
    if (at < from || at > last || !hunk.before.every((line, i) => lines[at + i] === line)) return false
    return !hunk.noEndBefore || (at === last && !endsWithNewline)
  }
  if (hunk.before.length === 0) return fits(wanted) ? wanted : null
  for (let off = 0; off <= lines.length; off++) {
    if (fits(wanted + off)) return wanted + off
    if (fits(wanted - off)) return wanted - off
  }
  return null
}

const fault = (line: number, what: string): ActionFault =>
  new ActionFault(`line ${line + 1} of the patch: ${what}`)
