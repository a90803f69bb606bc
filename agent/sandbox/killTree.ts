import { readdirSync, readFileSync } from 'node:fs'
import { setTimeout as sleep } from 'node:timers/promises'
import type { Contained } from './containment.ts'
import { MARK } from './mark.ts'

const GONE_POLL_MS = 2

/**
 * Asks every process of the tree to end (TERM), all but the wrapper and its init, whose end would kill the rest.
 * False when the command is not there yet.
 */
export function terminateTree({ child, sandbox }: Contained): boolean {
  if (child.pid === undefined) return true
  const group = sandbox.kind === 'group'
  const pids = group ? [-child.pid] : childrenOf(child.pid).flatMap(childrenOf).flatMap(withDescendants)
  for (const pid of pids) send(pid, 'SIGTERM')
  return pids.length > 0
}

/** Kills the whole tree at once: the end of a namespace's init ends everything in it. */
export async function killTree({ child, sandbox, init }: Contained, executionId: string): Promise<void> {
  if (child.pid === undefined) return
  if (sandbox.kind === 'group') {
    send(-child.pid, 'SIGKILL')
    return killMarked(executionId)
  }
  const inits = child.exitCode === null && child.signalCode === null ? childrenOf(child.pid) : []
  for (const pid of inits) send(pid, 'SIGKILL')
  // Without an init the wrapper has not come that far; what it starts dies with it.
  if (inits.length === 0 && child.exitCode === null) child.kill('SIGKILL')
  await treeGone({ sandbox, init }, executionId)
}

/**
 * Resolves once nothing of the tree is left, after its outermost process has ended: bwrap may end a moment before
 * its namespace does; process groups are searched for the mark and killed.
 */
export async function treeGone(
  { sandbox, init }: Pick<Contained, 'sandbox' | 'init'>,
  executionId: string,
): Promise<void> {
  if (sandbox.kind === 'group') return killMarked(executionId)
  const pid = await init
  while (pid !== null && isAlive(pid)) await sleep(GONE_POLL_MS)
}

/** Kills every process that carries the attempt's mark until none is left. Linux only; elsewhere it does nothing. */
export async function killMarked(executionId: string): Promise<void> {
  for (;;) {
    const found = markedProcesses(executionId)
    if (found.length === 0) return
    for (const pid of found) send(pid, 'SIGKILL')
    await sleep(GONE_POLL_MS * 5)
  }
}

function markedProcesses(executionId: string): number[] {
  if (process.platform !== 'linux') return []
  const mark = `${MARK}=${executionId}`
  return readdirSync('/proc')
    .filter((name) => /^\d+$/.test(name))
    .map(Number)
    .filter(
      (pid) => pid !== process.pid && read(`/proc/${pid}/environ`).split('\0').includes(mark) && isAlive(pid),
    )
}

/** All processes of a tree, with what holds it: of a process group those that carry the mark. */
export const treeOf = (
  { child, sandbox }: Pick<Contained, 'child' | 'sandbox'>,
  executionId: string,
): number[] => {
  if (child.pid === undefined) return []
  return sandbox.kind === 'group' ? markedProcesses(executionId) : withDescendants(child.pid)
}

/** A zombie counts as gone: it runs nothing, and an init that is one has ended its namespace. */
function isAlive(pid: number): boolean {
  const stat = read(`/proc/${pid}/stat`)
  const state = stat.slice(stat.lastIndexOf(')') + 2, stat.lastIndexOf(')') + 3)
  return state !== '' && state !== 'Z' && state !== 'X'
}

const withDescendants = (pid: number): number[] => [pid, ...childrenOf(pid).flatMap(withDescendants)]

/** Children of all threads of a process, by Linux's own list. */
function childrenOf(pid: number): number[] {
  return list(`/proc/${pid}/task`).flatMap((tid) =>
    read(`/proc/${pid}/task/${tid}/children`).split(' ').filter(Boolean).map(Number),
  )
}

function list(dir: string): string[] {
  try {
    return readdirSync(dir)
  } catch {
    return []
  }
}

function read(path: string): string {
  try {
    return readFileSync(path, 'utf8')
  } catch {
    return ''
  }
}

function send(pid: number, signal: NodeJS.Signals): void {
  try {
    process.kill(pid, signal)
  } catch {
    // It has ended meanwhile.
  }
}
