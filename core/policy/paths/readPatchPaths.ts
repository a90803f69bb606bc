/**
 * Every path that a unified diff names: old, new, renamed and copied files. A path that starts with `a/` or `b/` is
 * given without it. Null when it has no header of a file at all. Lines inside a hunk that look like a header count
 * too: too many paths are judged rather than too few.
 */
export function readPatchPaths(patch: string): string[] | null {
  const lines = patch.split(/\r?\n/)
  const found = lines.flatMap((line, i) => headerPaths(line, lines[i + 1] ?? ''))
  const paths = [...new Set(found.filter((path) => path !== '/dev/null' && path !== '').map(stripPrefix))]
  return found.length === 0 ? null : paths
}

function headerPaths(line: string, next: string): string[] {
  if (line.startsWith('--- ') && next.startsWith('+++ '))
    return [readName(line.slice(4)), readName(next.slice(4))]
  const moved = /^(?:rename|copy) (?:from|to) (.*)$/.exec(line)?.[1] ?? /^Index: (.*)$/.exec(line)?.[1]
  if (moved !== undefined) return [readName(moved)]
  return line.startsWith('diff --git ') ? gitNames(line.slice(11)) : []
}

/** A name ends at a tab (a date may follow) and may be quoted as in C. */
function readName(text: string): string {
  const quoted = /^"((?:\\.|[^"\\])*)"/.exec(text)?.[1]
  if (quoted === undefined) return (text.split('\t')[0] ?? '').trimEnd()
  return quoted.replace(/\\([0-7]{3}|.)/g, (_, code: string) =>
    /^\d/.test(code)
      ? String.fromCharCode(Number.parseInt(code, 8))
      : code === 'n'
        ? '\n'
        : code === 't'
          ? '\t'
          : code,
  )
}

function gitNames(text: string): string[] {
  if (text.startsWith('"')) return [readName(text), readName(text.replace(/^"(?:\\.|[^"\\])*"\s*/, ''))]
  const at = text.indexOf(' b/')
  return at < 0 ? text.split(' ') : [text.slice(0, at), text.slice(at + 1)]
}

const stripPrefix = (path: string): string => path.replace(/^[ab]\//, '')
