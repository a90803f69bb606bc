import { readFileSync, statfsSync } from 'node:fs'
import type { Contained } from './containment.ts'
import { treeOf } from './killTree.ts'
import type { Limits } from './limits.ts'

/** How often a command is looked at. What is taken faster than this goes beyond the limit for that long. */
const LOOK_MS = 200

/** What of a command was more than it may: processes, or bytes of memory. */
export type Exceeded = { what: 'processes' | 'memory'; taken: number }

/**
 * Watches all processes of a command: their number, and their memory together, with what it keeps in file systems of its
 * own in memory. Calls `onExceeded` once when either is more than its limit. What processes share counts once.
 * `exceeded`: which, and how much it was then. Linux only; elsewhere nothing is watched. The kernel itself holds the number
 * where it counts (`countsProcesses`): there this has nothing left to find.
 */
export function watchTree(
  contained: Contained,
  executionId: string,
  limits: Pick<Limits, 'processes' | 'memory'>,
  onExceeded: () => void,
): { exceeded(): Exceeded | null; stop(): void } {
  let exceeded: Exceeded | null = null
  let init: number | null = null
  void contained.init.then((pid) => {
    init = pid
  })
  const look = (): void => {
    exceeded = excess(treeOf(contained, executionId), init, limits)
    if (!exceeded) return
    clearInterval(timer)
    onExceeded()
  }
  const timer = setInterval(look, LOOK_MS)
  if (process.platform !== 'linux') clearInterval(timer)
  return { exceeded: () => exceeded, stop: () => clearInterval(timer) }
}

function excess(
  pids: readonly number[],
  init: number | null,
  { processes, memory }: Pick<Limits, 'processes' | 'memory'>,
): Exceeded | null {
  if (pids.length > processes) return { what: 'processes', taken: pids.length }
  const taken = memoryOf(pids, init, memory)
  return taken > memory ? { what: 'memory', taken } : null
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
