import { closeSync, constants, fstatSync, mkdirSync, openSync, realpathSync, statSync } from 'node:fs'
import { basename, dirname, join, relative } from 'node:path'
import { type Bounds, isWithin, PathRefused, resolveInside } from './roots.ts'

/** Linux: a handle of a place, without any right to read it. Node has no name for it. */
const O_PATH = process.platform === 'linux' ? 0o10000000 : 0
const DIRECTORY = O_PATH | constants.O_DIRECTORY | constants.O_NOFOLLOW

/**
 * A directory inside the roots, held open. It is reached from its root name by name, never over a link; what is done in
 * it by `at` happens there, wherever its path leads meanwhile. Elsewhere than on Linux the path is looked at again.
 */
export class HeldDirectory {
  readonly #fd: number
  readonly #path: string

  private constructor(fd: number, path: string) {
    this.#fd = fd
    this.#path = path
  }

  /**
   * `real`: links resolved, as resolveInside gives it. With `make`, what is missing on the way is made. Throws
   * PathRefused when it is no directory of the roots any more, or SKYNET's data directory by whatever name.
   */
  static open(bounds: Bounds, real: string, options = { make: false }): HeldDirectory {
    const root = bounds.roots.find((dir) => isWithin(dir, real))
    if (root === undefined) throw new PathRefused(`${real} is outside the agent's roots`)
    const names = relative(root, real).split('/').filter(Boolean)
    return names.reduce(
      (dir, name) => dir.#into(bounds, name, options.make),
      new HeldDirectory(openSync(root, DIRECTORY), root),
    )
  }

  /** The directory `name` in it. Does not close this one. */
  enter(bounds: Bounds, name: string): HeldDirectory {
    const fd = openDirectory(this.at(name), join(this.#path, name))
    const there = new HeldDirectory(fd, join(this.#path, name))
    try {
      there.#assertAllowed(bounds)
      return there
    } catch (error) {
      there.close()
      throw error
    }
  }

  /** The name by which the system finds what is called so in this directory. `.`: the directory itself. */
  at(name: string): string {
    if (process.platform === 'linux') return `/proc/self/fd/${this.#fd}/${name}`
    if (realpathSync.native(this.#path) !== this.#path)
      throw new PathRefused(`${this.#path} was changed while it was used`)
    return join(this.#path, name)
  }

  close(): void {
    closeSync(this.#fd)
  }

  #into(bounds: Bounds, name: string, make: boolean): HeldDirectory {
    try {
      if (make) makeDirectory(this.at(name))
      return this.enter(bounds, name)
    } finally {
      this.close()
    }
  }

  #assertAllowed({ hidden }: Bounds): void {
    const [own, kept] = [fstatSync(this.#fd), statSync(hidden, { throwIfNoEntry: false })]
    if (kept && own.dev === kept.dev && own.ino === kept.ino)
      throw new PathRefused(`${this.#path} is SKYNET's data directory`)
  }
}

/** Does something in the directory of a path inside the roots; `name` is what the path is called there. */
export function inDirectoryOf<T>(
  bounds: Bounds,
  real: string,
  act: (dir: HeldDirectory, name: string) => T,
  options = { make: false },
): T {
  const isRoot = bounds.roots.includes(real)
  const dir = HeldDirectory.open(bounds, isRoot ? real : dirname(real), options)
  try {
    return act(dir, isRoot ? '.' : basename(real))
  } finally {
    dir.close()
  }
}

/** Opens a path that is inside the roots, links resolved. The caller closes it. Throws PathRefused. */
export function openInside(place: { bounds: Bounds; cwd: string }, path: string, flags: number): number {
  const real = resolveInside(place.bounds, place.cwd, path)
  return inDirectoryOf(place.bounds, real, (dir, name) => {
    try {
      return openSync(dir.at(name), flags | constants.O_NOFOLLOW)
    } catch (error) {
      throw refusedLink(error, path)
    }
  })
}

function openDirectory(at: string, path: string): number {
  try {
    return openSync(at, DIRECTORY)
  } catch (error) {
    throw refusedLink(error, path)
  }
}

function makeDirectory(at: string): void {
  try {
    mkdirSync(at)
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code !== 'EEXIST') throw error
  }
}

/** What was a directory or file when the path was resolved is a link now. */
function refusedLink(error: unknown, path: string): unknown {
  const { code } = error as NodeJS.ErrnoException
  const isLink = code === 'ELOOP' || code === 'ENOTDIR'
  return isLink ? new PathRefused(`${path} was changed while it was used`) : error
}
