import { setTimeout as sleep } from 'node:timers/promises'
import { failpoint } from '../core/config/failpoint.ts'
import type { Logger } from '../core/config/logger.ts'
import { messageOf } from '../core/config/logger.ts'
import type { AttemptFrame } from '../core/protocol/frames.ts'
import { ReportResponse } from '../core/protocol/http.ts'
import type { Api } from './api.ts'
import { backoff } from './backoff.ts'

const MAX_FRAMES = 500
/** Characters of frames in one report; the API takes bodies of a few megabytes. */
const MAX_CHARS = 1024 * 1024
/** Beyond this the agent is not read until the ledger has caught up. */
const HIGH_WATER_CHARS = 8 * 1024 * 1024
/** Times one frame that the API calls invalid is offered before it is left out. */
const MAX_INVALID = 5
/** While this many attempts report at once, what they say is gathered for a moment: the ledger takes many as easily as one. */
const MANY_ATTEMPTS = 3
const GATHER_MS = 20

export type ReportTarget = {
  /** The ledger's answer, for the agent. */
  acked(answer: ReportResponse): void
  /** The API says that this agent may not report (403): it is revoked. */
  revoked(): void
  /** True: stop reading from the agent; false: go on. */
  hold(on: boolean): void
}

/**
 * Brings one agent's frames to the ledger, in order, one report at a time: at once when idle, gathered while a
 * report is on its way and while many attempts report. What it holds when it ends the agent sends again.
 */
export class Reporter {
  readonly #api: Api
  readonly #ids: { gateway_id: string; agent_id: string }
  readonly #log: Logger
  #target: ReportTarget | null = null
  #queue: AttemptFrame[] = []
  #chars = 0
  #busy = false
  #ended = false
  #held = false
  #failures = 0
  #limit = MAX_FRAMES

  constructor(api: Api, ids: { gateway_id: string; agent_id: string }, log: Logger) {
    this.#api = api
    this.#ids = ids
    this.#log = log
  }

  /** A new connection of the agent: it will send again what was not acknowledged. */
  attach(target: ReportTarget): void {
    this.#target = target
    this.#queue = []
    this.#chars = 0
    this.#held = false
    this.#failures = 0
  }

  detach(target: ReportTarget): void {
    if (this.#target === target) this.#target = null
  }

  add(frame: AttemptFrame): void {
    this.#queue.push(frame)
    this.#chars += sizeOf(frame)
    this.#hold()
    if (this.#busy) return
    this.#busy = true
    setImmediate(() => void this.#drain())
  }

  end(): void {
    this.#ended = true
  }

  async #drain(): Promise<void> {
    while (this.#queue.length > 0 && !this.#ended) {
      const batch = this.#nextBatch()
      const wait = await this.#report(batch)
      if (wait > 0) await backoff(wait)
      else if (attemptsIn(batch) >= MANY_ATTEMPTS) await sleep(GATHER_MS)
    }
    this.#busy = false
  }

  #nextBatch(): AttemptFrame[] {
    let chars = 0
    let count = 0
    for (const frame of this.#queue.slice(0, this.#limit)) {
      chars += sizeOf(frame)
      if (count > 0 && chars > MAX_CHARS) break
      count++
    }
    return this.#queue.slice(0, count)
  }

  /** Returns how many failures to wait for; none: go on at once. */
  async #report(frames: AttemptFrame[]): Promise<number> {
    const status = await this.#post(frames)
    if (status === 200) return 0
    if (status === 403) {
      this.#forget(frames)
      this.#target?.revoked()
      return 1
    }
    if (status === 413 || (status >= 400 && status < 500 && ![401, 408, 429].includes(status)))
      return this.#invalid(frames, status)
    return ++this.#failures
  }

  async #post(frames: AttemptFrame[]): Promise<number> {
    try {
      failpoint('report:before')
      const answer = await this.#api.post('/v1/report', { ...this.#ids, frames })
      failpoint('report:after')
      if (answer.status < 200 || answer.status > 299)
        return this.#complain(`the API answered ${answer.status}`, answer.status)
      const body = ReportResponse.parse(answer.body)
      this.#failures = 0
      this.#limit = MAX_FRAMES
      this.#forget(frames)
      this.#target?.acked(body)
      return 200
    } catch (error) {
      return this.#complain(messageOf(error), 0)
    }
  }

  /** Finds the frame that the API will not have by halving; that one is left out, the agent keeps it. */
  #invalid(frames: AttemptFrame[], status: number): number {
    this.#failures++
    if (frames.length > 1) {
      this.#limit = Math.ceil(frames.length / 2)
      return 1
    }
    if (this.#failures < MAX_INVALID) return this.#failures
    const [frame] = frames
    this.#log.error('left out a frame that the API refuses', {
      status,
      type: frame?.type,
      execution_id: frame?.execution_id,
      seq: frame?.seq,
    })
    this.#failures = 0
    this.#limit = MAX_FRAMES
    this.#forget(frames)
    return 1
  }

  #complain(what: string, status: number): number {
    if (this.#failures === 0)
      this.#log.warn(`a report failed and is tried again: ${what}`, { agent_id: this.#ids.agent_id })
    return status
  }

  /** A new connection may have emptied the queue meanwhile. */
  #forget(frames: AttemptFrame[]): void {
    if (this.#queue[0] !== frames[0]) return
    this.#queue.splice(0, frames.length)
    for (const frame of frames) this.#chars -= sizeOf(frame)
    this.#hold()
  }

  #hold(): void {
    const hold = this.#held ? this.#chars > HIGH_WATER_CHARS / 2 : this.#chars > HIGH_WATER_CHARS
    if (hold === this.#held) return
    this.#held = hold
    this.#target?.hold(hold)
  }
}

const attemptsIn = (frames: readonly AttemptFrame[]): number =>
  new Set(frames.map((frame) => frame.execution_id)).size

/** Characters a frame takes in a report, near enough. */
const sizeOf = (frame: AttemptFrame): number =>
  200 + (frame.type === 'log' ? frame.text.length : frame.type === 'result' ? frame.result.summary.length : 0)
