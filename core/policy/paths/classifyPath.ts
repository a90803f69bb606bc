import { HOLE, hasGlob, hasHole, isLiteral, NAME, NET_HOLE } from '../shell/marks.ts'
import type { PolicyContext } from '../verdict.ts'
import { namePattern } from './namePattern.ts'
import { couldBe, isEverything, isWithin, knownPrefix, resolvePath, segmentMatches } from './resolvePath.ts'
import { isSecretName } from './secretNames.ts'
import * as known from './sensitivePaths.ts'

/** What is about to be done with a path. */
export type PathUse = 'read' | 'list' | 'write' | 'delete'

/** Kinds of place, from the mildest to the worst; where several fit, the worst counts. */
export const places = [
  'null',
  'facts',
  'inside',
  'temp',
  'git-dir',
  'root',
  'startup',
  'outside',
  'unknown',
  'secret',
  'system',
  'top',
  'device',
  'vital',
  'login',
  'credential',
  'denied',
] as const
export type Place = (typeof places)[number]

const worse = (a: Place, b: Place): Place => (places.indexOf(a) >= places.indexOf(b) ? a : b)

/**
 * Says what kind of place a path is for a given use. The path is as in a command after expansion (it may hold marks
 * for patterns and unknown pieces); `cwds` are the directories it may be relative to, none when that is unknown.
 */
export function classifyPath(
  path: string,
  cwds: readonly string[],
  use: PathUse,
  context: PolicyContext,
): Place {
  if (cwds.length === 0 && !path.startsWith('/')) return 'unknown'
  const found = (cwds.length > 0 ? cwds : ['/']).map((cwd) => classifyFrom(path, cwd, use, context))
  return found.reduce(worse)
}

/** True for what is written inside whatever its name will be (see namePattern). */
export function isNamedInside(path: string, cwds: readonly string[], context: PolicyContext): boolean {
  const pattern = namePattern(path)
  return pattern !== null && classifyPath(pattern, cwds, 'write', context) === 'inside'
}

function classifyFrom(path: string, cwd: string, use: PathUse, context: PolicyContext): Place {
  if (hasHole(cwd)) return path.startsWith('/') ? classifyFrom(path, '/', use, context) : 'unknown'
  if (hasHole(path)) return classifyUnknown(path, cwd, use, context)
  const absolute = resolvePath(path, cwd)
  const place = climbs(path)
    ? worse('unknown', classifyAbsolute(absolute, use, context))
    : classifyAbsolute(absolute, use, context)
  const parent = absolute.slice(0, absolute.lastIndexOf('/')) || '/'
  const takesAll = use === 'delete' && isEverything(absolute.slice(parent.length).replace(/^\//, ''))
  return takesAll ? worse(place, classifyAbsolute(parent, use, context)) : place
}

/** `.*` matches `..` in many shells. */
function climbs(path: string): boolean {
  return hasGlob(path) && path.split('/').some((segment) => hasGlob(segment) && segmentMatches(segment, '..'))
}

/** `/etc/$X` is in /etc, and `$X` alone is anywhere. A piece that is empty must not turn into a root either. */
function classifyUnknown(path: string, cwd: string, use: PathUse, context: PolicyContext): Place {
  const prefix = knownPrefix(path)
  if (prefix === '') return 'unknown'
  // `<(command)`: a pipe, whose command is judged for itself.
  if (path === `/dev/fd/${NAME}` || path === `/dev/fd/${NET_HOLE}`) return 'null'
  const place = classifyAbsolute(resolvePath(`${prefix}${HOLE}`, cwd), use, context)
  if (use === 'delete')
    return worse('unknown', place === 'inside' ? 'unknown' : classifyFrom(prefix, cwd, use, context))
  return worse('unknown', place)
}

function classifyAbsolute(path: string, use: PathUse, context: PolicyContext): Place {
  if (context.denyPaths?.some((denied) => touchesDenied(path, denied))) return 'denied'
  if (known.harmlessDevices.test(path)) return 'null'
  switch (use) {
    case 'read':
      return classifyRead(path, context)
    case 'list':
      return classifyList(path, context)
    case 'write':
      return classifyWrite(path, context)
    case 'delete':
      return classifyDelete(path, context)
  }
}

function touchesDenied(path: string, denied: string): boolean {
  const target = resolvePath(denied, '/')
  return isWithin(path.toLowerCase(), target.toLowerCase()) || (hasGlob(path) && startsLike(path, target))
}

function classifyRead(path: string, context: PolicyContext): Place {
  if (holdsSecrets(path, context))
    return context.denyPaths?.some((denied) => isWithin(clean(denied), path)) ? 'denied' : 'credential'
  if (isCredential(path, context)) return 'credential'
  if (isDevice(path)) return 'device'
  if (isMachineFact(path)) return 'facts'
  if (isSecretName(path.slice(path.lastIndexOf('/') + 1))) return 'secret'
  return isInside(path, context) ? 'inside' : isTemp(path) ? 'temp' : 'outside'
}

/** Reading a whole home, or what SKYNET's data lies in, reads the keys there. */
function holdsSecrets(path: string, context: PolicyContext): boolean {
  if (context.denyPaths?.some((denied) => isWithin(clean(denied), path))) return true
  return isWithin(clean(context.home), path) && !isInside(path, context)
}

function classifyList(path: string, context: PolicyContext): Place {
  if (isInside(path, context)) return 'inside'
  return path === '/' || isTemp(path) || isMachineFact(path) ? 'facts' : 'outside'
}

function classifyWrite(path: string, context: PolicyContext): Place {
  if (inHome(path, known.loginInHome, context)) return 'login'
  if (onMachine(path, known.vitalOnMachine)) return 'vital'
  if (isDevice(path)) return 'device'
  if (isCredential(path, context)) return 'credential'
  if (isStartup(path, context)) return 'startup'
  if (isInside(path, context)) return isGitDirectory(path) ? 'git-dir' : 'inside'
  if (isTemp(path) || path === '/tmp' || path === '/var/tmp') return 'temp'
  return isSystem(path, context) || known.systemDirectories.some((dir) => couldBe(path, dir))
    ? 'system'
    : 'outside'
}

function classifyDelete(path: string, context: PolicyContext): Place {
  if (isTop(path, context)) return 'top'
  if (inHome(path, known.loginInHome, context)) return 'login'
  if (onMachine(path, known.vitalOnMachine)) return 'vital'
  if (isCredential(path, context)) return 'credential'
  if (isInside(path, context))
    return isWholeProject(path, context) ? 'root' : isGitDirectory(path) ? 'git-dir' : 'inside'
  return isTemp(path) ? 'temp' : isDevice(path) ? 'device' : isSystem(path, context) ? 'system' : 'outside'
}

/** A root, the task's directory, or a directory above it. */
function isWholeProject(path: string, context: PolicyContext): boolean {
  return (
    [...context.roots, context.cwd].some((dir) => couldBe(path, clean(dir))) ||
    isAncestor(path, clean(context.cwd))
  )
}

const clean = (path: string): string => resolvePath(path, '/')

/** Under one of the roots. A pattern may only stand below a root, never in place of a part of one. */
export function isInside(path: string, context: Pick<PolicyContext, 'roots'>): boolean {
  return context.roots.some((root) => isWithin(path, clean(root)))
}

function isTop(path: string, context: PolicyContext): boolean {
  if (known.systemDirectories.some((dir) => couldBe(lower(path), lower(dir)))) return true
  if (couldBe(lower(path), lower(clean(context.home))) || /^\/(home|Users)\/[^/]+$/i.test(path))
    return !isInside(path, context) || path === clean(context.home)
  return [...context.roots, context.home].some((dir) => isAncestor(path, clean(dir)))
}

function isAncestor(path: string, dir: string): boolean {
  const parents = dir.split('/').map((_, i, all) => all.slice(0, i).join('/') || '/')
  return parents.some((parent) => parent !== dir && couldBe(path, parent))
}

const isTemp = (path: string): boolean => /^\/(tmp|var\/tmp|dev\/shm|var\/folders)\/./.test(path)
const isDevice = (path: string): boolean => /^\/dev(\/|$)/i.test(path) && !isTemp(path)
const isMachineFact = (path: string): boolean =>
  isLiteral(path) && known.machineFacts.some((fact) => fact.test(path))
const isGitDirectory = (path: string): boolean =>
  path.split('/').some((segment) => segmentMatches(segment.toLowerCase(), '.git'))

function isSystem(path: string, context: PolicyContext): boolean {
  if (isWithin(path, clean(context.home))) return false
  return (
    known.systemTrees.some((tree) => isWithin(lower(path), lower(tree))) ||
    startsLikeAny(path, known.systemTrees)
  )
}

function isStartup(path: string, context: PolicyContext): boolean {
  return (
    inHome(path, known.startupInHome, context) || known.startupInProject.some((pattern) => pattern.test(path))
  )
}

/** True for files that hold keys or passwords by their place, whatever the roots are. */
function isCredential(path: string, context: PolicyContext): boolean {
  if (/^\/proc\/[^/]+\/(environ|mem|fd|root)(\/|$)/.test(path) || /^\/etc\/ssh\/ssh_host_.*_key$/.test(path))
    return true
  if (onMachine(path, known.credentialsOnMachine)) return true
  if (!inHome(path, known.credentialsInHome, context)) return false
  return hasGlob(path) || !(path.endsWith('.pub') || inHome(path, known.harmlessInHome, context))
}

function inHome(path: string, entries: readonly string[], context: PolicyContext): boolean {
  const home = clean(context.home)
  const rest =
    isWithin(path, home) && home !== '/'
      ? path.slice(home.length + 1)
      : /^\/(?:root|var\/root|(?:home|Users)\/[^/]+)\/(.+)$/i.exec(path)?.[1]
  return rest !== undefined && rest !== '' && entries.some((entry) => fits(rest, entry))
}

function onMachine(path: string, entries: readonly string[]): boolean {
  return entries.some((entry) => fits(path, entry))
}

/** True when the path is what an entry of a list names; `/**` at its end also takes all below. */
function fits(path: string, entry: string): boolean {
  const tree = entry.endsWith('/**')
  const wanted = lower(tree ? entry.slice(0, -3) : entry)
  return hasGlob(path)
    ? tree
      ? startsLike(path, wanted)
      : couldBe(lower(path), wanted)
    : tree
      ? isWithin(lower(path), wanted)
      : lower(path) === wanted
}

const lower = (path: string): string => path.toLowerCase()

/** True when a pattern could name `dir` or something below it. */
function startsLike(path: string, dir: string): boolean {
  const depth = dir.split('/').length
  const head = lower(path).split('/').slice(0, depth)
  return head.length === depth && couldBe(head.join('/'), lower(dir))
}

function startsLikeAny(path: string, dirs: readonly string[]): boolean {
  return hasGlob(path) && dirs.some((dir) => startsLike(path, dir))
}
