import { dirname, join } from 'node:path'
import { keptFromOthers, kindOf, linkAt, placeOf, textOf } from './look.ts'
import { type Mount, outermost } from './mounts.ts'
import {
  browsersInHome,
  cachesInHome,
  hiddenInHome,
  looksSecret,
  machineDirs,
  settingsInHome,
  startedInHome,
  toolsInHome,
} from './places.ts'
import { isWithin } from './roots.ts'

/** A machine as far as a view of it depends on it. Paths are real, links resolved. */
export type Machine = {
  home: string
  roots: readonly string[]
  /** SKYNET's data directory. */
  hidden: string
  /** SKYNET's own program. */
  program: string
  /** The directories of the search path. */
  path: readonly string[]
  /** What the person lets commands read besides: files, directories, sockets. */
  readable: readonly string[]
  /** git's settings of the person, as far as they give nothing away; null: there are none. */
  gitSettings: string | null
}

/**
 * What is the same for every command: what is shown and hidden, the directories in roots that are held in their place,
 * and the variables that say where things are.
 */
export type View = { machine: Machine; mounts: Mount[]; pinned: string[]; env: Record<string, string> }

/** A command's own part of its view. */
export type Own = {
  /** The roots it may write to; it reads the others. */
  writable: readonly string[]
  network: boolean
  /** Its directory for temporary files, and its caches. */
  temp: string
  caches: string
  /** Files that it is given. */
  given: readonly { from: string; at: string }[]
}

/** Where what belongs to a command alone is shown to it. */
export const OWN = '/run/skynet'

/**
 * Looks at the machine and says what commands see of it: its tools and settings, nothing of its home beside them, none
 * of what others cannot read. Looked at only while no command runs that could put something else there meanwhile.
 */
export function viewOf(machine: Machine): View {
  const browsers = browsersInHome.filter(([name]) => kindOf(join(machine.home, name)) === 'dir')
  const mounts: Mount[] = [
    ...machineDirs.flatMap(machineMount),
    ...(isInRoots(machine, machine.home) ? homeInRoot(machine) : homeHidden(machine)),
    ...keptFromOthers('/etc').map(cover),
    ...browsers.map(
      ([name, variable]): Mount => ({ do: 'show', from: join(machine.home, name), at: `${OWN}/${variable}` }),
    ),
    ...pathMounts(machine),
    ...machine.readable.map((at): Mount => ({ do: 'show', at })),
    ...protectedInRoots(machine, [machine.program]),
    { do: 'hide', at: machine.hidden },
  ]
  return {
    machine,
    mounts: mounts.filter(({ at, do: what }) => what === 'hide' || !machine.roots.includes(at)),
    pinned: pinned(machine, mounts),
    env: Object.fromEntries(browsers.map(([, variable]) => [variable, `${OWN}/${variable}`])),
  }
}

/** All that one command sees. */
export function mountsFor({ machine, mounts, pinned }: View, own: Own): Mount[] {
  const { home, roots } = machine
  const reach = (at: string): Mount => ({
    do: own.writable.some((root) => isWithin(root, at)) ? 'work' : 'show',
    at,
  })
  const all: Mount[] = [
    ...outermost(roots).map(reach),
    ...pinned.map(reach),
    ...(home === '/' || isInRoots(machine, home)
      ? []
      : ([{ do: 'work', at: join(home, '.cache'), from: own.caches }] satisfies Mount[])),
    ...mounts,
    ...own.given.map(({ from, at }): Mount => ({ do: 'show', from, at })),
    ...(own.network ? resolverMounts() : []),
  ]
  const kept = all.filter(
    (mount) => mount.do !== 'link' || !all.some(({ at }) => at !== mount.at && isWithin(mount.at, at)),
  )
  return [...temporary(kept, own.temp), ...kept]
}

/** Mounted into nothing but memory, so that no command can have put a link in the way of the next one. */
function temporary(all: readonly Mount[], temp: string): Mount[] {
  const holds = (dir: string): boolean => all.some(({ at }) => at !== dir && isWithin(dir, at))
  return [
    holds('/tmp') ? { do: 'scratch', at: '/tmp' } : { do: 'work', at: '/tmp', from: temp },
    holds('/var/tmp') ? { do: 'scratch', at: '/var/tmp' } : { do: 'link', at: '/var/tmp', to: '../tmp' },
  ]
}

function machineMount(at: string): Mount[] {
  const kind = kindOf(at)
  if (kind === 'link') return [{ do: 'link', at, to: linkAt(at) ?? at }]
  return kind === 'dir' ? [{ do: 'show', at }] : []
}

/** A home of the command's own, in memory, with the person's tools and harmless settings. */
function homeHidden({ home, gitSettings }: Machine): Mount[] {
  if (home === '/') return []
  const tools = toolsInHome.filter((name) => kindOf(join(home, name)) !== 'none')
  return [
    { do: 'scratch', at: home },
    ...outermost(tools.map((name) => join(home, name))).map((at): Mount => ({ do: 'show', at })),
    ...harmlessSettings(home),
    ...(gitSettings
      ? ([{ do: 'show', from: gitSettings, at: join(home, '.gitconfig') }] satisfies Mount[])
      : []),
    ...cachesInHome.map(
      (name): Mount => ({ do: 'link', at: join(home, name), to: join(home, '.cache', cacheName(name)) }),
    ),
  ]
}

/** The directory of a cache in the caches of a root. */
export const cacheName = (name: string): string => `skynet-${name.replace(/^\./, '').replaceAll('/', '-')}`

const harmlessSettings = (home: string): Mount[] =>
  settingsInHome.flatMap((name): Mount[] => {
    const text = textOf(join(home, name))
    return text === null || looksSecret.test(text) ? [] : [{ do: 'show', at: join(home, name) }]
  })

/** A home that can be worked in: keys are covered, and what is started unasked can only be read. */
function homeInRoot({ home, gitSettings }: Machine): Mount[] {
  const at = (names: readonly string[]): string[] => names.map((name) => join(home, name)).filter(isPlain)
  return [
    ...at(startedInHome).map((path): Mount => ({ do: 'show', at: path })),
    ...at(hiddenInHome).map(cover),
    ...at(['.gitconfig']).flatMap((path): Mount[] =>
      gitSettings ? [{ do: 'show', from: gitSettings, at: path }] : [],
    ),
  ]
}

/** There, and no link: what a link in a root leads to is hidden at its own place. */
const isPlain = (path: string): boolean => ['dir', 'file'].includes(kindOf(path))

const cover = (at: string): Mount => ({ do: kindOf(at) === 'dir' ? 'hide' : 'blank', at })

/** Programs found on the search path, with what lies beside them. */
function pathMounts(machine: Machine): Mount[] {
  const dirs = machine.path.flatMap((dir) => placeOf(dir) ?? []).filter((dir) => !dir.startsWith('/mnt/'))
  const inside = dirs.filter((dir) => isInRoots(machine, dir))
  const elsewhere = dirs.filter((dir) => !isInRoots(machine, dir) && !isShown(machine, dir))
  return [
    ...elsewhere.map((dir): Mount => ({ do: 'show', at: besideTools(machine, dir) })),
    ...protectedInRoots(machine, inside),
  ]
}

/** `.../tool-1.2/bin` needs `.../tool-1.2/lib` as well; a home or the whole machine is never shown for that. */
function besideTools({ home, roots }: Machine, dir: string): string {
  const above = dirname(dir)
  const tooMuch =
    above === '/' || [home, ...roots].some((place) => isWithin(above, place)) || dirname(above) === '/'
  return /\/(bin|sbin|shims)$/.test(dir) && !tooMuch ? above : dir
}

const isInRoots = ({ roots }: Machine, path: string): boolean => roots.some((root) => isWithin(root, path))

const isShown = ({ home }: Machine, path: string): boolean =>
  machineDirs.some((dir) => isWithin(dir, path)) ||
  toolsInHome.some((name) => isWithin(join(home, name), path))

/** Directories in a root that are run later, unconfined: they can only be read. */
const protectedInRoots = (machine: Machine, paths: readonly string[]): Mount[] =>
  paths
    .filter((path) => isInRoots(machine, path) && !machine.roots.includes(path) && isPlain(path))
    .map((at) => ({ do: 'show', at }))

/**
 * The directories that lead from a root to what is covered in it, each held in its place: else a command could give
 * one another name, and the next command would find what was covered under that.
 */
function pinned({ roots }: Machine, mounts: readonly Mount[]): string[] {
  const above = (root: string, at: string): string[] =>
    at === root || dirname(at) === root ? [] : [...above(root, dirname(at)), dirname(at)]
  const dirs = mounts.flatMap(({ at }) =>
    outermost(roots).flatMap((root) => (isWithin(root, at) ? above(root, at) : [])),
  )
  return [...new Set(dirs)]
}

/** Where names are looked up, if the link in /etc leads out of it. */
function resolverMounts(): Mount[] {
  const real = placeOf('/etc/resolv.conf')
  return real === null || isWithin('/etc', real) ? [] : [{ do: 'show', at: real }]
}
