import type { ChildProcess } from 'node:child_process'
import { once } from 'node:events'
import { constants } from 'node:os'
import { setTimeout as sleep } from 'node:timers/promises'
import { type Contained, spawnContained } from '../sandbox/containment.ts'
import { killTree, terminateTree, treeGone } from '../sandbox/killTree.ts'
import { closeQuietly, readPipe } from '../sandbox/pipes.ts'
import { wallHint } from '../sandbox/wallHint.ts'
import type { Confinement } from '../sandbox/walls.ts'
import { type Exceeded, watchTree } from '../sandbox/watchTree.ts'
import type { Ended, Run } from './run.ts'

/** Between TERM and KILL. */
const GRACE_MS = 2000
/** When the wrapper has not come to start the command yet. */
const ASK_AGAIN_MS = 20
/** Output that is still to be read when the tree is gone; longer only where something unknown holds the pipe. */
const DRAIN_MS = 1000

/**
 * Runs a program in the attempt's containment and streams its output. Resolves when its whole tree is gone.
 * A stop asks with TERM, and kills after 2 s. `given`: files for this command alone.
 */
export async function runCommand(
  run: Run,
  file: string,
  args: string[],
  given: Confinement['given'] = [],
): Promise<Ended> {
  const [out, err] = await Promise.all([run.pipes.take(), run.pipes.take()])
  const stdio = ['ignore' as const, out.writeEnd, err.writeEnd]
  const contained = spawnContained(run.sandbox, {
    file,
    args,
    env: run.env,
    stdio,
    confinement: { ...run.confinement, given: [...run.confinement.given, ...given] },
  })
  closeQuietly(out.writeEnd)
  closeQuietly(err.writeEnd)
  const ended = ending(contained.child)
  const stdout = readPipe(out.readEnd, (bytes) => run.output.write('stdout', bytes))
  const stderr = readPipe(err.readEnd, (bytes) => run.output.write('stderr', bytes))
  const drained = Promise.all([stdout.done, stderr.done])
  if (contained.child.pid !== undefined) run.started(contained.child.pid)
  const killed = stopOnRequest(run, contained)
  const watch = watchTree(contained, run.id, run.limits, () => void killTree(contained, run.id))
  const end = tooMuch(await ended, watch.exceeded(), run.limits)
  watch.stop()
  await killed.settle()
  if (contained.child.pid !== undefined) await treeGone(contained, run.id)
  contained.left()
  await Promise.race([drained, sleep(DRAIN_MS, undefined, { ref: false })])
  stdout.close()
  stderr.close()
  explain(run, end)
  return end
}

/** A confined command that failed by its walls says so. */
function explain({ sandbox, output, confinement }: Run, { error }: Ended): void {
  const hint = error !== null && sandbox.kind === 'bwrap' ? wallHint(output.summary(), confinement) : null
  if (hint) output.note(hint)
}

/** A command that was ended for taking too much says how much it was, and what sets the limit. */
function tooMuch(end: Ended, exceeded: Exceeded | null, { processes, memory }: Run['limits']): Ended {
  if (exceeded === null) return end
  const mb = (bytes: number) => `${Math.round(bytes / 1024 / 1024)} MB`
  const error =
    exceeded.what === 'memory'
      ? `ended: its processes together took ${mb(exceeded.taken)}, more than the ${mb(memory)} they may (SKYNET_AGENT_MAX_MEMORY_MB)`
      : `ended: it had ${exceeded.taken} processes, more than the ${processes} it may (SKYNET_AGENT_MAX_PROCESSES)`
  return { ...end, error }
}

async function ending(child: ChildProcess): Promise<Ended> {
  try {
    const [code, signal] = (await once(child, 'exit')) as [number | null, NodeJS.Signals | null]
    return { exitCode: code, signal: signal ?? signalOf(code), error: describe(code, signal) }
  } catch (error) {
    return { exitCode: null, signal: null, error: `it could not be started: ${(error as Error).message}` }
  }
}

function describe(code: number | null, signal: string | null): string | null {
  if (code === 0) return null
  const by = signal ?? signalOf(code)
  return by ? `ended by ${by}` : `exit code ${code}`
}

/** By the convention of shells: 128 and the signal's number. */
function signalOf(code: number | null): string | null {
  if (code === null || code <= 128) return null
  return Object.entries(constants.signals).find(([, number]) => number === code - 128)?.[0] ?? null
}

function stopOnRequest(run: Run, contained: Contained): { settle(): Promise<void> } {
  let killing: Promise<void> | null = null
  let timer: NodeJS.Timeout | null = null
  let asking: NodeJS.Timeout | null = null
  const kill = () => {
    killing ??= killTree(contained, run.id)
  }
  const ask = () => {
    if (!terminateTree(contained)) asking = setTimeout(ask, ASK_AGAIN_MS)
  }
  const stop = () => {
    ask()
    timer = setTimeout(kill, GRACE_MS)
  }
  if (run.stop.aborted) stop()
  else run.stop.addEventListener('abort', stop, { once: true })
  return {
    async settle() {
      run.stop.removeEventListener('abort', stop)
      if (timer) clearTimeout(timer)
      if (asking) clearTimeout(asking)
      await killing
    },
  }
}
