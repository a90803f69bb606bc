import { isWithin } from './roots.ts'

/** One place in what a confined command sees. `from` another place of the machine than `at`; links are not followed at `at`. */
export type Mount =
  | { do: 'show'; at: string; from?: string }
  | { do: 'work'; at: string; from?: string }
  /** An empty directory that nothing can be written to. */
  | { do: 'hide'; at: string }
  /** An empty file. */
  | { do: 'blank'; at: string }
  /** An empty directory of the command's own, gone with it. */
  | { do: 'scratch'; at: string }
  | { do: 'link'; at: string; to: string }

/** The arguments of bubblewrap for these, a directory always before what is in it; nothing else can be written to. Pure. */
export function mountArgs(mounts: readonly Mount[]): string[] {
  const ordered = inOrder(mounts)
  const hidden = ordered.flatMap((mount) => (mount.do === 'hide' ? ['--remount-ro', mount.at] : []))
  const own = ['--proc', '/proc', ...(isRoot() ? ['--remount-ro', '/proc'] : []), '--dev', '/dev']
  return [...ordered.flatMap(argsOf), ...own, ...hidden, '--remount-ro', '/']
}

/** Root needs no further right to change settings of the kernel in /proc. */
const isRoot = (): boolean => process.getuid?.() === 0

function argsOf(mount: Mount): string[] {
  const { at } = mount
  switch (mount.do) {
    case 'show':
      return ['--ro-bind-try', mount.from ?? at, at]
    case 'work':
      return ['--bind-try', mount.from ?? at, at]
    case 'hide':
      return ['--perms', '0555', '--tmpfs', at]
    case 'blank':
      return ['--ro-bind', '/dev/null', at]
    case 'scratch':
      return ['--perms', '0700', '--tmpfs', at]
    case 'link':
      return ['--symlink', mount.to, at]
  }
}

/** By depth; of two for one place the later one stands. Pure. */
function inOrder(mounts: readonly Mount[]): Mount[] {
  const last = new Map(mounts.map((mount) => [mount.at, mount]))
  const depth = ({ at }: Mount): number => (at === '/' ? 0 : at.split('/').length - 1)
  return [...last.values()].sort((a, b) => depth(a) - depth(b))
}

/** Without those that lie in another one of them. Pure. */
export function outermost(dirs: readonly string[]): string[] {
  const unique = [...new Set(dirs)]
  return unique.filter((dir) => !unique.some((other) => other !== dir && isWithin(other, dir)))
}
