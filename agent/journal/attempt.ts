import type { AttemptFrame } from '../../core/protocol/frames.ts'
import type { Begin } from './record.ts'

/** Where a journalled frame stands on disk; `text` is kept while there is room for it. */
export type FrameRef = { seq: number; segment: number; offset: number; length: number; text: string | null }

/**
 * What the journal knows of an attempt. `begun` covers `starting` and `started`; one found so at the agent's
 * start has no end and is lost.
 */
export type JournalledAttempt = Begin & {
  id: string
  state: 'begun' | 'ended'
  nextSeq: number
  /** Frames the ledger has not acknowledged, in order. */
  pending: FrameRef[]
  /** How many of `pending` went out over connection number `sentOver`. */
  sent: number
  sentOver: number
  /** The frames that answer a repeated dispatch: how it was taken and how it ended. */
  answers: FrameRef[]
  /** That nothing of it is left has been said; of one that was refused there is nothing to say. */
  exited: boolean
  resultAcked: boolean
  /** When its newest frame was written, milliseconds since 1970. */
  touched: number
  segments: Set<number>
}

export function newAttempt(id: string, begin: Begin, segment: number): JournalledAttempt {
  return {
    id,
    ...begin,
    state: 'begun',
    nextSeq: 1,
    pending: [],
    sent: 0,
    sentOver: 0,
    answers: [],
    exited: false,
    resultAcked: false,
    touched: begin.at,
    segments: new Set([segment]),
  }
}

const ends = new Set<AttemptFrame['type']>(['result', 'refused', 'lost'])
const answering = new Set<AttemptFrame['type']>(['accepted', 'refused', 'result', 'lost', 'exited'])

/** Takes a journalled frame into what is known of its attempt. */
export function noteFrame(attempt: JournalledAttempt, type: AttemptFrame['type'], ref: FrameRef): void {
  attempt.nextSeq = ref.seq + 1
  attempt.pending.push(ref)
  attempt.segments.add(ref.segment)
  if (ends.has(type)) attempt.state = 'ended'
  if (type === 'exited' || type === 'refused') attempt.exited = true
  if (answering.has(type)) attempt.answers.push(ref)
}

/** Forgets frames up to `seq`; returns those that were waiting. */
export function noteAck(attempt: JournalledAttempt, seq: number): FrameRef[] {
  const index = attempt.pending.findIndex((ref) => ref.seq > seq)
  const gone = attempt.pending.splice(0, index === -1 ? attempt.pending.length : index)
  attempt.sent = Math.max(0, attempt.sent - gone.length)
  return gone
}

/** Whether nothing of the attempt waits for the ledger any more. */
export const isSettled = (a: JournalledAttempt): boolean => a.state === 'ended' && a.pending.length === 0
