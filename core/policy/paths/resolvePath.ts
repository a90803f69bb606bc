import { HOLE, HOLES, hasGlob, hasHole, NAME, NET_HOLE, QUERY, STAR } from '../shell/marks.ts'

/**
 * Makes a path absolute and takes `.`, `..` and doubled slashes out of it, as text: symlinks are not known here.
 * `~` is the shell's business and must be gone already. `cwd` is absolute.
 */
export function resolvePath(path: string, cwd: string): string {
  const whole = path.startsWith('/') ? path : `${cwd}/${path}`
  const kept: string[] = []
  for (const segment of whole.split('/')) {
    if (segment === '' || segment === '.') continue
    if (segment === '..') kept.pop()
    else kept.push(segment)
  }
  return plainRoot(`/${kept.join('/')}`, cwd)
}

/** `/proc/self/root/etc` is `/etc`, and on a Mac `/private/etc` is too. */
function plainRoot(path: string, cwd: string): string {
  const viaProc = /^\/proc\/[^/]+\/(?:task\/[^/]+\/)?(root|cwd)(?=\/|$)/.exec(path)
  if (viaProc) return resolvePath(`${viaProc[1] === 'cwd' ? cwd : ''}/${path.slice(viaProc[0].length)}`, cwd)
  return path.replace(/^\/(?:System\/Volumes\/Data|private)(?=\/(?:etc|var|tmp|Users)(?:\/|$))/, '')
}

/** The part of a path before the first piece that cannot be known, cut at a slash. */
export function knownPrefix(path: string): string {
  const holes = [HOLE, HOLES, NET_HOLE, NAME].map((mark) => path.indexOf(mark)).filter((at) => at >= 0)
  return path.slice(0, path.lastIndexOf('/', Math.min(...holes)) + 1)
}

/** True when `path` is `dir` or lies under it. */
export function isWithin(path: string, dir: string): boolean {
  return path === dir || dir === '/' || path.startsWith(dir.endsWith('/') ? dir : `${dir}/`)
}

/**
 * True when the path, which may hold patterns, could name `target` (a plain path). A pattern never matches the dot
 * that a name starts with, as in the shell.
 */
export function couldBe(path: string, target: string): boolean {
  if (!hasGlob(path)) return path === target
  const wanted = target.split('/')
  const segments = path.split('/')
  return (
    segments.length === wanted.length &&
    segments.every((segment, i) => segmentMatches(segment, wanted[i] ?? ''))
  )
}

/** `couldBe` for one name, without slashes. */
export function segmentMatches(segment: string, name: string): boolean {
  if (!hasGlob(segment)) return segment === name
  if (name.startsWith('.') && (segment.startsWith(STAR) || segment.startsWith(QUERY))) return false
  return matchesPattern(segment, name)
}

/** The usual two-pointer match: on a mismatch, go back to the last star and let it take one more. */
export function matchesPattern(pattern: string, name: string): boolean {
  let i = 0
  let star = -1
  let from = 0
  for (let j = 0; j < name.length; ) {
    if (pattern[i] === STAR) [star, from, i] = [i, j, i + 1]
    else if (i < pattern.length && (pattern[i] === QUERY || pattern[i] === name[j])) [i, j] = [i + 1, j + 1]
    else if (star >= 0) [i, from, j] = [star + 1, from + 1, from + 1]
    else return false
  }
  return pattern.slice(i).replaceAll(STAR, '') === ''
}

/** True for a name that is only a pattern, such as `*`, `.*`, `*.*` or `??`: it says "everything here". */
export function isEverything(segment: string): boolean {
  return hasGlob(segment) && !hasHole(segment) && /^[.\u0001\u0002]+$/.test(segment)
}
