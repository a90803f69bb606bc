import type { Effect } from '../actions/catalogue.ts'
import type { FailureClass } from './classify.ts'

/** Steps of recovery, in the order in which they are taken. */
export const rungs = ['retry', 'reduce', 'budget', 'decompose', 'ask'] as const
export type Rung = (typeof rungs)[number]

/** `auto`: rules and a model; `retry`: rules alone; `off`: a failure is a failure. */
export const recoveryModes = ['auto', 'retry', 'off'] as const
export type RecoveryMode = (typeof recoveryModes)[number]

/** What came of a step that did not help. */
export const outcomes = [
  'failed_again',
  'not_run',
  'denied',
  'no_answer',
  'no_way',
  'policy',
  'too_often',
  /** What is left of the tokens is not enough to ask with. */
  'limit',
] as const
export type CameOf = (typeof outcomes)[number]

export type Limits = {
  mode: RecoveryMode
  /** Steps for one failed task; a run has twice as many. */
  tries: number
  /** Tokens that a run's recovery may use. */
  tokens: number
  /** Milliseconds of work and thinking that a run's recovery may take; waiting for people does not count. */
  ms: number
}

/** For those who only end things: what fails by that is decided by others. */
export const noRecovery: Limits & { hasModel: boolean } = {
  mode: 'off',
  tries: 1,
  tokens: 0,
  ms: 0,
  hasModel: false,
}

/** What was tried before, since a person last said "go". */
export type Tried = { rung: Rung; by: 'rule' | 'model' | 'person'; cameOf: CameOf | null }

export type Situation = {
  failure: FailureClass
  effect: Effect
  kind: 'command' | 'request'
  timeoutS: number
  /** Something of the plan that was done before it changed things. */
  changedBefore: boolean
  hasModel: boolean
  limits: Limits
  /** For this task, or the one it stands for. */
  tried: readonly Tried[]
  /** For the whole run. */
  spent: { tries: number; tokens: number; ms: number }
}

/** Why a person is asked. */
export type Reason = 'final' | 'limit' | 'no_model' | 'tried' | 'person' | 'model_away'

export type Next =
  | { rung: 'retry'; by: 'rule'; waitMs: number }
  /** The same with a longer time limit. */
  | { rung: 'budget'; by: 'rule'; timeoutS: number }
  | { rung: 'reduce' | 'budget' | 'decompose'; by: 'model' }
  | { rung: 'ask'; why: Reason }

/** Seconds before the first and the second time that it is tried again. */
const WAITS_S = { not_started: [5, 20], network: [3, 15], busy: [3, 15] } as const
const MAX_TIMEOUT_S = 7200
const LONGER = 3

/**
 * What a model is asked for, by kind of failure: what cannot help is not tried. A check that fails is an answer, not a
 * fault, unless the plan itself changed what it checks.
 */
const ladders: Record<FailureClass, readonly ('reduce' | 'budget' | 'decompose')[]> = {
  not_started: [],
  denied: [],
  unknown_end: [],
  network: [],
  busy: [],
  timeout: ['reduce', 'budget', 'decompose'],
  memory: ['reduce', 'decompose'],
  space: ['reduce'],
  permission: ['budget'],
  missing_tool: ['decompose'],
  missing_packages: ['decompose'],
  checks: ['budget', 'decompose'],
  other: ['reduce', 'budget', 'decompose'],
}

const ask = (why: Reason): Next => ({ rung: 'ask', why })

/**
 * The next step for a failed task, in order: again where that is safe, less of it, more time or thinking, smaller
 * steps, a person. Pure: the table of recovery (docs/states.md) is this function.
 */
export function nextRung(situation: Situation): Next {
  const { failure, limits, tried, spent } = situation
  const last = tried.at(-1)
  if (limits.mode === 'off' || failure === 'denied') return ask('final')
  if (last?.cameOf === 'denied' || last?.cameOf === 'not_run') return ask('person')
  if (last?.cameOf === 'limit') return ask('limit')
  if (tried.length >= limits.tries || spent.tries >= 2 * limits.tries || spent.ms >= limits.ms)
    return ask('limit')
  return retry(situation) ?? (isAnswer(situation) ? ask('final') : other(situation))
}

/**
 * Again, where nothing of it has begun or it only reads and what failed it may pass. What reads is what policy allows at
 * low risk: the rules by which it asks tell of danger, not of what may be repeated.
 */
function retry({ failure, effect, tried }: Situation): Next | null {
  const safe =
    failure === 'not_started' || ((failure === 'network' || failure === 'busy') && effect === 'read')
  if (!safe) return null
  const before = tried.filter(({ rung }) => rung === 'retry').length
  const seconds = WAITS_S[failure as keyof typeof WAITS_S][before]
  return seconds === undefined ? null : { rung: 'retry', by: 'rule', waitMs: seconds * 1000 }
}

/** What ran as it was asked to, and whose end is what people want to know. */
const isAnswer = ({ failure, kind, changedBefore }: Situation): boolean =>
  kind === 'command' || (failure === 'checks' && !changedBefore)

function other(situation: Situation): Next {
  const { failure, limits, tried, spent, hasModel } = situation
  const had = (rung: Rung): boolean => tried.some((one) => one.rung === rung)
  if (tried.at(-1)?.cameOf === 'no_answer') return longer(situation) ?? ask('model_away')
  const thinks = hasModel && limits.mode === 'auto' && spent.tokens < limits.tokens
  for (const rung of ladders[failure]) {
    if (had(rung)) continue
    const longerTime = rung === 'budget' ? longer(situation) : null
    if (longerTime) return longerTime
    if (thinks) return { rung, by: 'model' }
  }
  if (tried.length > 0) return ask('tried')
  if (ladders[failure].length === 0 || limits.mode !== 'auto') return ask('final')
  return ask(hasModel ? 'limit' : 'no_model')
}

/** More time, for what only reads: what may have changed something is not begun again by itself. */
function longer({ failure, effect, timeoutS, tried }: Situation): Next | null {
  const done = tried.some(({ rung, by }) => rung === 'budget' && by === 'rule')
  if (failure !== 'timeout' || effect !== 'read' || done || timeoutS >= MAX_TIMEOUT_S) return null
  return { rung: 'budget', by: 'rule', timeoutS: Math.min(MAX_TIMEOUT_S, timeoutS * LONGER) }
}
