import type { ActionName, ActionParams } from '../../core/protocol/actions.ts'
import type { Sandbox } from '../sandbox/containment.ts'
import type { Limits } from '../sandbox/limits.ts'
import type { PipePool } from '../sandbox/pipes.ts'
import type { Bounds } from '../sandbox/roots.ts'
import type { Confinement } from '../sandbox/walls.ts'
import type { Output } from './output.ts'

/** Why an attempt is being ended before its time. */
export type StopReason = 'cancelled' | 'timeout' | 'shutdown' | 'journal'

/** One attempt while it runs: what an action is given. */
export type Run = {
  id: string
  /** The task's directory, links resolved, inside the roots. */
  cwd: string
  bounds: Bounds
  sandbox: Sandbox
  /** What its commands are let do, where the sandbox confines them. */
  confinement: Confinement
  pipes: PipePool
  /** What all processes of one command may take together. */
  limits: Pick<Limits, 'processes' | 'memory'>
  /** The whole environment of the attempt. */
  env: Record<string, string>
  output: Output
  redact: (text: string) => string
  /** Aborted with a StopReason. */
  stop: AbortSignal
  /** To be called once, when the work begins; a process's id where there is one. */
  started(pid: number | null): void
}

/** How an action ended. `error` null and exit code 0 or null is success. */
export type Ended = {
  exitCode: number | null
  signal: string | null
  error: string | null
  /** Instead of the end of the output. */
  summary?: string
  /** Absolute paths it changed. */
  changed?: string[]
}

export type Action<A extends ActionName> = (run: Run, params: ActionParams<A>) => Promise<Ended>

/** Something the action cannot do, in words for a person. */
export class ActionFault extends Error {
  override name = 'ActionFault'
}

export const succeeded = (more: Pick<Ended, 'summary' | 'changed'> = {}): Ended => ({
  exitCode: 0,
  signal: null,
  error: null,
  ...more,
})
