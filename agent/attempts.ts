import { setTimeout as sleep } from 'node:timers/promises'
import { failpoint } from '../core/config/failpoint.ts'
import { type ActionCall, ActionCallSchema } from '../core/protocol/actions.ts'
import type { AttemptFrame, GatewayFrame, Hello } from '../core/protocol/frames.ts'
import { specHash } from '../core/protocol/hash.ts'
import type { ExecutionSpec } from '../core/protocol/specs.ts'
import type { AttemptDeps } from './attemptDeps.ts'
import type { JournalledAttempt } from './journal/attempt.ts'
import { type Refusal, refusalOf } from './refuseDispatch.ts'
import { RunningAttempt } from './runningAttempt.ts'
import { killMarked } from './sandbox/killTree.ts'

/** After the kill, for a full disk to take the end of an attempt; else the next start finds it lost. */
const LAST_WRITE_MS = 5000
/** How often it is tried again to journal what a full disk did not take. */
const AGAIN_MS = 1000

type Dispatch = Extract<GatewayFrame, { type: 'dispatch' }>
type HeldAttempt = Hello['attempts'][number]

/** The attempts of this agent: begins each at most once, whatever is sent twice, and ends them on request. */
export class Attempts {
  readonly #deps: AttemptDeps
  readonly #running = new Map<string, RunningAttempt>()
  /** Refused while the journal could not say so: they stay refused when it can again. */
  readonly #unjournalled = new Map<string, Refusal>()
  #again: NodeJS.Timeout | null = null
  #stopping = false

  constructor(deps: AttemptDeps) {
    this.#deps = deps
  }

  get running(): number {
    return this.#running.size
  }

  /** The runs of the attempts that run now. */
  runs(): string[] {
    return [...this.#running.values()].map((running) => running.runId)
  }

  /** Attempts for `hello`: running ones, and ended ones with frames the ledger does not have. */
  held(): HeldAttempt[] {
    const alive = [...this.#running.keys()].map(
      (execution_id): HeldAttempt => ({ execution_id, state: 'alive' }),
    )
    const rest = [...this.#deps.journal.attempts.values()].filter(
      (a) => a.pending.length > 0 && !this.#running.has(a.id),
    )
    return [
      ...alive,
      ...rest.map((a): HeldAttempt => ({ execution_id: a.id, state: 'unacknowledged' })),
    ].slice(0, 10_000)
  }

  /**
   * At the agent's start: whatever began and has no end is lost; what is left of it is killed first. Where a power cut
   * took the confirmation behind an end, it is given again.
   */
  async settleLost(): Promise<void> {
    const { journal, log } = this.#deps
    for (const attempt of journal.attempts.values()) {
      if (attempt.exited) continue
      await killMarked(attempt.id)
      if (attempt.state === 'begun') {
        journal.frames(attempt, [{ type: 'lost' }, { type: 'exited' }])
        log.warn('an attempt was lost when the agent ended', { execution_id: attempt.id })
      } else journal.frames(attempt, [{ type: 'exited' }])
    }
  }

  /**
   * Takes a dispatch. The same attempt again is answered from the journal; the same id or token with another
   * spec is refused; anything the grant does not cover is refused.
   */
  async dispatch({ execution_id: id, spec, grant }: Dispatch): Promise<void> {
    const { journal } = this.#deps
    const hash = specHash(spec)
    const known = journal.attempts.get(id)
    if (known) return this.#repeated(known, spec, hash)
    const refusal =
      this.#unjournalled.get(id) ??
      refusalOf(this.#deps, { id, spec, grant }, { running: this.running, stopping: this.#stopping })
    if (refusal) return this.#refuse(id, refusal)
    const call = ActionCallSchema.parse({ action: spec.action, params: spec.params })
    try {
      const attempt = journal.begin(id, { token: spec.claim_token, hash }, { type: 'accepted' })
      await this.#run(attempt, spec, call)
    } catch (error) {
      this.#refuse(id, { code: 'journal', reason: (error as Error).message })
    }
  }

  /** Ends an attempt. One not known yet is journalled as refused, so that its later dispatch does not start. */
  cancel(id: string): void {
    const { journal, delivery } = this.#deps
    const running = this.#running.get(id)
    const known = journal.attempts.get(id)
    if (running) running.stop('cancelled')
    else if (known) delivery.again(known)
    else this.#cancelUnknown(id)
  }

  #cancelUnknown(id: string): void {
    const { journal, delivery, log } = this.#deps
    try {
      const attempt = journal.begin(
        id,
        { token: null, hash: null },
        { type: 'refused', code: 'cancelled', reason: 'It was cancelled before it arrived.' },
      )
      journal.frames(attempt, [{ type: 'exited' }])
      journal.sync().then(
        () => delivery.wake(attempt),
        () => delivery.wake(attempt),
      )
    } catch (error) {
      log.error('a cancel could not be journalled', { execution_id: id, error: (error as Error).message })
      this.#keep(id, { code: 'cancelled', reason: 'It was cancelled before it arrived.' })
    }
  }

  /** The ledger has everything of the attempt up to `seq`. */
  ack(id: string, seq: number): void {
    const attempt = this.#deps.journal.attempts.get(id)
    if (attempt) this.#deps.delivery.acked(attempt, seq)
  }

  resultAck(id: string): void {
    const attempt = this.#deps.journal.attempts.get(id)
    if (attempt) this.#deps.journal.resultAck(attempt)
  }

  /** Takes no more work, gives what runs `graceMs` to end, then kills it and journals it as lost. */
  async stop(graceMs: number): Promise<void> {
    this.#stopping = true
    const ended = Promise.all([...this.#running.values()].map((running) => running.ended))
    const timer = setTimeout(() => {
      for (const running of this.#running.values()) running.stop('shutdown')
    }, graceMs)
    await Promise.race([ended, sleep(graceMs + LAST_WRITE_MS, undefined, { ref: false })])
    clearTimeout(timer)
  }

  #repeated(known: JournalledAttempt, spec: ExecutionSpec, hash: string): void {
    const { delivery } = this.#deps
    const same =
      known.hash === null ||
      (known.hash === hash && (known.token === null || known.token === spec.claim_token))
    if (same) {
      delivery.again(known)
      return
    }
    this.#deps.log.warn('refused an attempt that came again with another spec', { execution_id: known.id })
    delivery.sendLoose(
      looseRefusal(known.id, { code: 'other_spec', reason: 'This attempt is known with another spec.' }),
    )
  }

  #refuse(id: string, refusal: Refusal): void {
    this.#deps.log.warn('refused an attempt', { execution_id: id, code: refusal.code })
    this.#journalRefusal(id, refusal)
  }

  /**
   * Journalled before it is said, so that it stays refused whatever comes later and however often. While the disk takes
   * nothing, nothing is said: the claim stays with this attempt.
   */
  #journalRefusal(id: string, { code, reason }: Refusal): void {
    const { journal, delivery } = this.#deps
    const begun = journal.attempts.get(id)
    try {
      const body = { type: 'refused' as const, code, reason }
      if (begun) journal.frames(begun, [body])
      delivery.wake(begun ?? journal.begin(id, { token: null, hash: null }, body))
      this.#unjournalled.delete(id)
    } catch {
      this.#keep(id, { code, reason })
    }
  }

  /** It stays refused, and is journalled as soon as the disk takes it. */
  #keep(id: string, refusal: Refusal): void {
    this.#unjournalled.set(id, refusal)
    this.#again ??= setTimeout(() => {
      this.#again = null
      for (const [kept, { code, reason }] of [...this.#unjournalled]) {
        this.#unjournalled.delete(kept)
        if (code === 'cancelled') this.cancel(kept)
        else this.#journalRefusal(kept, { code, reason })
      }
    }, AGAIN_MS).unref()
  }

  /** Resolves when the work has begun, not when it has ended. Rejects when the journal cannot be made durable. */
  async #run(attempt: JournalledAttempt, spec: ExecutionSpec, call: ActionCall): Promise<void> {
    const running = new RunningAttempt(this.#deps, attempt, spec)
    this.#running.set(attempt.id, running)
    try {
      await this.#deps.journal.sync()
      failpoint('journal.accepted:synced')
    } catch (error) {
      this.#running.delete(attempt.id)
      throw error
    }
    this.#deps.delivery.wake(attempt)
    void running.run(call).finally(() => {
      this.#running.delete(attempt.id)
      this.#deps.onEnd()
    })
  }
}

/** Number 1 is taken by the frame that the ledger already has of a known attempt: there this changes nothing. */
function looseRefusal(execution_id: string, refusal: Refusal): string {
  const frame: AttemptFrame = {
    type: 'refused',
    execution_id,
    seq: 1,
    at: new Date().toISOString(),
    ...refusal,
  }
  return JSON.stringify(frame)
}
