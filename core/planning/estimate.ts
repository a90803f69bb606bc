import type { Need } from '../llm/model.ts'
import { type Classified, type Complexity, classify } from './classify.ts'

/** Tokens that the answer to a request of each class takes, as long as nothing is known. */
export const baseTokens: Readonly<Record<Complexity, number>> = { simple: 200, medium: 500, complex: 1500 }
const HISTORY = 0.7
const BASE = 0.3
const MARGIN = 1.2

/** What a plan of the past was estimated to take, before correction, and what its answer took, in tokens. */
export type PastUse = { request: string; complexity: Complexity; raw: number; used: number }

/**
 * Tokens that the answer to a request is expected to take. `raw`: from base and history, before what was learned of
 * being wrong; `budget`: with the margin. `similar`: how many past requests it rests on.
 */
export type Estimate = Classified & { raw: number; expected: number; budget: number; similar: number }

/** Of the past, those that count as similar: the nearest few, with at least this much in common. */
const NEAREST = 5
const ALIKE = 0.25
/** Without a similar one, those of the same class stand in, once there are some. */
const OF_CLASS = 20
const ENOUGH_OF_CLASS = 3
/** The newest that correction goes by; how many count as much as the assumption that nothing has to be corrected. */
const RECENT = 20
const DOUBT = 3

/**
 * The estimate for a request: 70% what similar requests took, 30% the base of its class, times how wrong such estimates
 * were lately, and a margin of 20% on top. `past`: newest first. Pure.
 */
export function estimate(request: string, past: readonly PastUse[]): Estimate {
  const classified = classify(request)
  const base = baseTokens[classified.complexity]
  const { tokens, similar } = history(request, classified.complexity, past)
  const raw = tokens === null ? base : HISTORY * tokens + BASE * base
  const expected = raw * correction(past.filter((use) => (tokens === null) === restsOnBase(use)))
  return {
    ...classified,
    raw: Math.round(raw),
    expected: Math.round(expected),
    budget: Math.ceil(expected * MARGIN),
    similar,
  }
}

/** A first of its kind was estimated from the base alone: it errs in another way than one with a history. */
const restsOnBase = ({ complexity, raw }: PastUse): boolean => raw === baseTokens[complexity]

function history(
  request: string,
  complexity: Complexity,
  past: readonly PastUse[],
): { tokens: number | null; similar: number } {
  const words = wordsOf(request)
  const near = past
    .map((use) => ({ used: use.used, weight: likeness(words, wordsOf(use.request)) ** 2 }))
    .filter(({ weight }) => weight >= ALIKE ** 2)
    .sort((a, b) => b.weight - a.weight)
    .slice(0, NEAREST)
  if (near.length > 0) return { tokens: mean(near), similar: near.length }
  const ofClass = past.filter((use) => use.complexity === complexity).slice(0, OF_CLASS)
  if (ofClass.length < ENOUGH_OF_CLASS) return { tokens: null, similar: 0 }
  return { tokens: mean(ofClass.map(({ used }) => ({ used, weight: 1 }))), similar: ofClass.length }
}

const mean = (all: readonly { used: number; weight: number }[]): number =>
  all.reduce((sum, { used, weight }) => sum + used * weight, 0) /
  all.reduce((sum, { weight }) => sum + weight, 0)

const dull = new Set(
  'the a an my our your this that in on of for to with please me it is are and then'.split(' '),
)

const wordsOf = (text: string): Set<string> =>
  new Set((text.toLowerCase().match(/[\p{L}\p{N}_.'-]+/gu) ?? []).filter((word) => !dull.has(word)))

/** Jaccard's index of two sets of words. */
function likeness(a: ReadonlySet<string>, b: ReadonlySet<string>): number {
  if (a.size === 0 || b.size === 0) return 0
  const both = [...a].filter((word) => b.has(word)).length
  return both / (a.size + b.size - both)
}

/** The factor by which estimates were too small (above 1) or too large lately: the geometric mean, doubted while few. */
function correction(past: readonly PastUse[]): number {
  const logs = past
    .slice(0, RECENT)
    .filter(({ raw, used }) => raw > 0 && used > 0)
    .map(({ raw, used }) => Math.log(used / raw))
  const sum = logs.reduce((a, b) => a + b, 0)
  return Math.min(8, Math.max(0.125, Math.exp(sum / (logs.length + DOUBT))))
}

/** The least and the most an answer may ever take: models that think spend tokens that nobody sees. */
const LEAST = 4000
export const MOST_TOKENS = 16_000

/**
 * The limit told to the model: far above the budget, so that no answer is cut by an estimate. One that is cut all the
 * same is asked for once more with the most. Pure.
 */
export const maxTokensFor = ({ budget }: Pick<Estimate, 'budget'>): number =>
  Math.min(MOST_TOKENS, Math.max(LEAST, 4 * budget))

const SURE = 0.75

/** What a request of this class needs of a model: a quick one for what is surely simple, a heavy one for complex work. Pure. */
export function needFor({ complexity, confidence }: Classified): Need {
  if (complexity === 'simple') return confidence >= SURE ? 'quick' : 'balanced'
  return complexity === 'complex' && confidence >= SURE ? 'heavy' : 'balanced'
}
