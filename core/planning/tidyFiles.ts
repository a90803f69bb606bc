/** Directories whose inside tells nothing that a plan needs. */
const dull = new Set(
  'node_modules .git .hg .svn vendor target dist build out .next .nuxt .venv venv __pycache__ .tox .mypy_cache .pytest_cache .gradle .idea .cache coverage'.split(
    ' ',
  ),
)
/** Names of one directory that are told; of more, how many there are. */
const EACH = 40

/**
 * A list of paths, one a line, as a plan needs it: what lies inside of directories such as `node_modules` is left out,
 * and of a directory with many entries the first are named and the rest counted. Pure.
 */
export function tidyFiles(text: string): string {
  const kept = text.split('\n').filter((line) => line !== '' && !isInsideDull(line))
  const counts = new Map<string, number>()
  const lines: string[] = []
  for (const line of kept) {
    const directory = directoryOf(line)
    const nth = (counts.get(directory) ?? 0) + 1
    counts.set(directory, nth)
    if (nth <= EACH) lines.push(line)
  }
  const more = [...counts].filter(([, n]) => n > EACH).map(([dir, n]) => `${dir || '.'}: ${n - EACH} more`)
  return [...lines, ...more].join('\n')
}

const directoryOf = (path: string): string => path.replace(/\/$/, '').split('/').slice(0, -1).join('/')

const isInsideDull = (path: string): boolean =>
  path
    .replace(/\/$/, '')
    .split('/')
    .slice(0, -1)
    .some((part) => dull.has(part))
