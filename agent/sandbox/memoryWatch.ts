import { readFileSync, statfsSync } from 'node:fs'
import type { Contained } from './containment.ts'
import { treeOf } from './killTree.ts'

/** How often the memory of a command is summed. What is taken faster than this goes beyond the limit for that long. */
const LOOK_MS = 200

/**
 * Watches the memory of all processes of a command together, with what it keeps in file systems of its own in memory,
 * and calls `onExceeded` once when it is more than `limit` bytes. What processes share counts once. `taken`: how much it
 * was then. Linux only; elsewhere nothing is watched.
 */
export function watchMemory(
  contained: Contained,
  executionId: string,
  limit: number,
  onExceeded: () => void,
): { taken(): number | null; stop(): void } {
  let taken: number | null = null
  let init: number | null = null
  void contained.init.then((pid) => {
    init = pid
  })
  const look = (): void => {
    const used = memoryOf(treeOf(contained, executionId), init, limit)
    if (used <= limit) return
    taken = used
    clearInterval(timer)
    onExceeded()
  }
  const timer = setInterval(look, LOOK_MS)
  if (process.platform !== 'linux') clearInterval(timer)
  return { taken: () => taken, stop: () => clearInterval(timer) }
}

/** In bytes. What is shared is counted with each process first, which is cheap, and rightly only where that is too much. */
export function memoryOf(pids: readonly number[], init: number | null, limit: number): number {
  const files = init === null ? 0 : filesInMemory(init)
  const atMost = sum(pids, (pid) => kilobytes(read(`/proc/${pid}/status`), ['VmRSS', 'VmSwap']))
  if (files + atMost <= limit) return files + atMost
  return files + sum(pids, (pid) => kilobytes(read(`/proc/${pid}/smaps_rollup`), ['Pss', 'SwapPss']))
}

const sum = (pids: readonly number[], of: (pid: number) => number): number =>
  pids.reduce((total, pid) => total + of(pid), 0) * 1024

const kilobytes = (text: string, names: readonly string[]): number =>
  names.reduce(
    (total, name) => total + Number(new RegExp(`^${name}:\\s+(\\d+) kB$`, 'm').exec(text)?.[1] ?? 0),
    0,
  )

type InMemory = { device: string; at: string }

/** File systems in memory that only this command sees. */
function filesInMemory(init: number): number {
  const known = new Set(memoryMounts('self').map(({ device }) => device))
  const own = new Map(memoryMounts(String(init)).map((mount) => [mount.device, mount.at]))
  return [...own].reduce(
    (total, [device, at]) => total + (known.has(device) ? 0 : used(`/proc/${init}/root${at}`)),
    0,
  )
}

const memoryMounts = (of: string): InMemory[] =>
  read(`/proc/${of}/mountinfo`)
    .split('\n')
    .flatMap((line) => {
      const [, , device, , at] = line.split(' ')
      return device && at && / - (tmpfs|ramfs) /.test(line) ? [{ device, at: unescaped(at) }] : []
    })

const unescaped = (path: string): string =>
  path.replace(/\\([0-7]{3})/g, (_, code: string) => String.fromCharCode(Number.parseInt(code, 8)))

function used(path: string): number {
  try {
    const { blocks, bfree, bsize } = statfsSync(path)
    return (blocks - bfree) * bsize
  } catch {
    return 0
  }
}

function read(path: string): string {
  try {
    return readFileSync(path, 'utf8')
  } catch {
    return ''
  }
}
