import { createHmac, randomBytes } from 'node:crypto'
import type { Judged } from './judgePlan.ts'
import type { PlanSource } from './planOutcome.ts'

/**
 * Text that nobody of this installation wrote: output, files, pages, skills. `origin` is how people are told of it
 * (`log of #12`). There is one way from here to a model: `asData`.
 */
export type Untrusted = {
  origin: string
  text: string
  /** What it is, where one origin gives several texts: the label of its block. */
  name?: string
  /** How much of the prompt's room it may claim beside others; 1 when left out. */
  share?: number
  /** A memory of what this installation did and its own people said: data for the model as well, but no reason to ask. */
  trusted?: true | undefined
  /** Which memory it is, for `why this plan`. */
  memory?: number | undefined
}

const secret = randomBytes(32)

/**
 * A number for one question that nobody outside can know, since a secret of this process goes into it: no text can end a
 * block that is marked with it. The same question has the same one, so that it can be known again (AnswerCache).
 */
export const markFor = (question: string): string =>
  createHmac('sha256', secret).update(question).digest('hex').slice(0, 24)

/** What `write` makes with the mark that is for just this text. */
export const withMark = (write: (mark: string) => string): string => write(markFor(write('')))

/** A text as a block of data. Its end mark holds `mark`; should the text hold that all the same, it is taken out. Pure. */
export function asData(mark: string, name: string, text: string): string {
  const label = name.replace(/[^\w #.:/-]/g, '').slice(0, 80)
  return `<data-${mark} name="${label}">\n${text.replaceAll(mark, '')}\n</data-${mark}>`
}

/** Where the steps of a plan come from, in words: `you`, and all that the model was shown beside the request. Pure. */
export const originsOf = (source: PlanSource | null): string[] =>
  source && 'from' in source ? ['you', ...(source.from ?? [])] : ['you']

/** How people are told that the words themselves were somebody else's, sent on. */
export const FORWARDED = 'a forwarded message'

/** What made a plan of words that were sent on (`forwarded`), and so had them in view whatever made it. Pure. */
export const withForwarded = <S extends PlanSource>(source: S, forwarded: boolean): S =>
  forwarded && source.kind !== 'look' && source.kind !== 'api'
    ? { ...source, from: [...new Set([FORWARDED, ...originsOf(source).slice(1)])] }
    : source

const RULE = 'plan.untrusted-text'

/**
 * The verdicts for a plan that was made with text from elsewhere in view: what it would start by itself, and does more
 * than look at files here, waits for a person. Denials and questions stay what they are. Pure.
 */
export function askForOrigins(judged: readonly Judged[], source: PlanSource): Judged[] {
  const from = originsOf(source).slice(1)
  if (from.length === 0) return [...judged]
  return judged.map((one) => {
    const { verdict, effect } = one
    if (verdict.verdict !== 'allow' || (effect === 'read' && !verdict.network)) return one
    const reason = `the plan was made with ${from.join(', ')} in view, which could have asked for this`
    return { ...one, verdict: { ...verdict, verdict: 'ask', rule: RULE, reason } }
  })
}
