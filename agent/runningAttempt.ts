import { setTimeout as sleep } from 'node:timers/promises'
import { messageOf } from '../core/config/logger.ts'
import type { ActionCall } from '../core/protocol/actions.ts'
import type { ExecutionResult } from '../core/protocol/frames.ts'
import type { ExecutionSpec } from '../core/protocol/specs.ts'
import type { AttemptDeps } from './attemptDeps.ts'
import { doAction } from './execute/actions.ts'
import { INPUTS, placeInputs } from './execute/inputs.ts'
import { Output } from './execute/output.ts'
import type { Ended, Run, StopReason } from './execute/run.ts'
import type { JournalledAttempt } from './journal/attempt.ts'
import type { FrameBody } from './journal/journal.ts'
import { shownAs } from './sandbox/containment.ts'
import { type Covered, coverGit } from './sandbox/coverGit.ts'
import { attemptEnvironment } from './sandbox/environment.ts'
import { resolveInside } from './sandbox/roots.ts'
import type { Confinement } from './sandbox/walls.ts'
import { writableRoots } from './sandbox/writableRoots.ts'

const JOURNAL_RETRY_MS = 1000

/** One attempt from its journalled beginning to its journalled end. */
export class RunningAttempt {
  /** Resolves when its end is journalled. */
  readonly ended: Promise<void>
  readonly #deps: AttemptDeps
  readonly #attempt: JournalledAttempt
  readonly #spec: ExecutionSpec
  readonly #stop = new AbortController()
  readonly #output: Output
  #hasEnded: () => void = () => {}
  #reason: StopReason | null = null

  constructor(deps: AttemptDeps, attempt: JournalledAttempt, spec: ExecutionSpec) {
    this.#deps = deps
    this.#attempt = attempt
    this.#spec = spec
    this.#output = new Output((frames) => this.#journal(frames), deps.redacting, deps.limits)
    this.ended = new Promise((resolve) => {
      this.#hasEnded = resolve
    })
  }

  get runId(): string {
    return this.#spec.run_id
  }

  /** Ends it; the first reason counts. */
  stop(reason: StopReason): void {
    if (this.#reason) return
    this.#reason = reason
    this.#stop.abort(reason)
  }

  /** Does the action and journals its end. Never rejects. */
  async run(call: ActionCall): Promise<void> {
    const begun = performance.now()
    const timer = setTimeout(() => this.stop('timeout'), this.#spec.timeout_s * 1000)
    const end = this.#reason ? notStarted : await this.#do(call)
    clearTimeout(timer)
    this.#output.end()
    await this.#finish(this.#result(end, Math.round(performance.now() - begun)))
    this.#hasEnded()
  }

  /** What the tasks before it left behind lies in a file while it runs. */
  async #do(call: ActionCall): Promise<Ended> {
    const { inputs = [] } = this.#spec
    const look = await this.#look(call)
    if (this.#reason) return notStarted
    if (look.kind === 'starts') return { exitCode: null, signal: null, error: look.error }
    if (inputs.length === 0) return doAction(this.#context(look.env, look.covers), call)
    try {
      const file = placeInputs(inputs)
      const at = shownAs(this.#deps.sandbox, file.path, 'inputs.json')
      const given = [{ from: file.path, at }, ...look.covers]
      return await doAction(this.#context({ ...look.env, [INPUTS]: at }, given), call).finally(file.remove)
    } catch (error) {
      return { exitCode: null, signal: null, error: `its inputs could not be written: ${messageOf(error)}` }
    }
  }

  /** What only looks at a repository starts nothing that its own settings name. */
  async #look(call: ActionCall): Promise<Covered> {
    const { bounds, sandbox, agentDir } = this.#deps
    try {
      const cwd = resolveInside(bounds, '/', this.#spec.cwd)
      const { owns } = this.#spec
      const confines = sandbox.kind === 'bwrap'
      return await coverGit({ cwd, call, owns, roots: bounds.roots, confines, agentDir })
    } catch (error) {
      return { kind: 'starts', error: messageOf(error) }
    }
  }

  #context(more: Record<string, string>, given: Confinement['given'] = []): Run {
    const { bounds, sandbox, pipes, treeLimits, redact, env, secrets } = this.#deps
    const { run_id: runId, network } = this.#spec
    const cwd = resolveInside(bounds, '/', this.#spec.cwd)
    const writable = writableRoots(bounds.roots, this.#spec)
    return {
      id: this.#attempt.id,
      cwd,
      confinement: { runId, cwd, writable, network, given },
      bounds,
      sandbox,
      pipes,
      limits: treeLimits,
      redact,
      env: {
        ...attemptEnvironment(env, this.#attempt.id),
        ...more,
        ...secrets.variables(this.#spec.secrets ?? []),
      },
      output: this.#output,
      stop: this.#stop.signal,
      started: (pid: number | null) => this.#journal([{ type: 'started', pid, containment: sandbox.kind }]),
    }
  }

  /** A disk that takes nothing ends the attempt: it must not go on unseen. */
  #journal(frames: FrameBody[]): void {
    try {
      this.#deps.journal.frames(this.#attempt, frames)
      this.#deps.delivery.wake(this.#attempt)
    } catch (error) {
      const lost = frames.reduce(
        (sum, frame) => sum + (frame.type === 'log' ? Buffer.byteLength(frame.text) : 0),
        0,
      )
      this.#output.lost += lost
      if (!this.#reason)
        this.#deps.log.error('ending an attempt that cannot be journalled', {
          execution_id: this.#attempt.id,
          error: (error as Error).message,
        })
      this.stop('journal')
    }
  }

  #result(end: Ended, duration_ms: number): ExecutionResult {
    const { redact } = this.#deps
    const error = this.#error(end)
    return {
      status: this.#status(error),
      exit_code: end.exitCode,
      signal: end.signal,
      summary: redact(end.summary ?? this.#output.summary()).slice(-4000),
      output_bytes: this.#output.bytes,
      output_lost: this.#output.lost,
      duration_ms,
      error: error === null ? null : redact(error).slice(0, 2000),
      changed: (end.changed ?? []).slice(0, 200),
    }
  }

  #error(end: Ended): string | null {
    if (this.#reason === 'timeout') return `ended after its time limit of ${this.#spec.timeout_s} s`
    if (this.#reason === 'journal')
      return 'ended because the agent could not journal it: its disk is full or failing'
    return end.error
  }

  #status(error: string | null): ExecutionResult['status'] {
    if (this.#reason === 'cancelled' || this.#reason === 'timeout') return this.#reason
    return error === null ? 'succeeded' : 'failed'
  }

  /** Killed because the agent stops is judged like a lost one: by its effect. */
  async #finish(result: ExecutionResult): Promise<void> {
    const { journal, delivery } = this.#deps
    const end: FrameBody = this.#reason === 'shutdown' ? { type: 'lost' } : { type: 'result', result }
    for (;;) {
      try {
        journal.frames(this.#attempt, [end, { type: 'exited' }])
        break
      } catch {
        await sleep(JOURNAL_RETRY_MS)
      }
    }
    delivery.wake(this.#attempt)
    await journal.sync().catch(() => {}) // it is in the kernel, and the ledger gets it
  }
}

const notStarted: Ended = { exitCode: null, signal: null, error: 'it was ended before it started' }
