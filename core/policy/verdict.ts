/**
 * The words of a judgement: what is asked (`PolicyContext`), what is answered (`Verdict`, `Part`), and how parts
 * become one answer.
 */

/** The machine a task is placed on. Paths are absolute; they are compared lexically, never looked up. */
export type PolicyContext = {
  /** The task's directory. */
  cwd: string
  /** The directories the agent may work in. */
  roots: readonly string[]
  /** The home directory of the account the agent runs under. */
  home: string
  /** As in `process.platform`: `linux`, `darwin`, `win32` ... */
  platform: string
  /** What nothing may touch there: SKYNET's data directory, above all. */
  denyPaths?: readonly string[]
}

export const decisions = ['allow', 'ask', 'deny'] as const
type Decision = (typeof decisions)[number]
export const risks = ['low', 'medium', 'high', 'critical'] as const
export type Risk = (typeof risks)[number]

/** One thing found in a call (for `shell`: one simple command), with its own judgement. */
export type Part = {
  text: string
  verdict: Decision
  risk: Risk
  rule: string
  reason: string
  network: boolean
}

/** The judgement of a whole call: the worst of its parts. */
export type Verdict = Omit<Part, 'text'> & { parts: Part[] }

/** Orders two parts by what a person must know first: the decision, then the risk. Positive: `a` is worse. */
function compareParts(a: Pick<Part, 'verdict' | 'risk'>, b: Pick<Part, 'verdict' | 'risk'>): number {
  return (
    decisions.indexOf(a.verdict) - decisions.indexOf(b.verdict) ||
    risks.indexOf(a.risk) - risks.indexOf(b.risk)
  )
}

/** The higher of two risks. */
function maxRisk(a: Risk, b: Risk): Risk {
  return risks.indexOf(a) >= risks.indexOf(b) ? a : b
}

/** An allow whose risk is high or critical is an ask. */
export function settle<P extends Pick<Part, 'verdict' | 'risk'>>(part: P): P {
  const tooRisky = part.verdict === 'allow' && risks.indexOf(part.risk) >= risks.indexOf('high')
  return tooRisky ? { ...part, verdict: 'ask' } : part
}

/** The worst part of several; the first of equals. Undefined for none. */
export function worstOf<P extends Pick<Part, 'verdict' | 'risk'>>(parts: readonly P[]): P | undefined {
  return parts.reduce<P | undefined>(
    (worst, part) => (worst && compareParts(worst, part) >= 0 ? worst : part),
    undefined,
  )
}

/** Makes one verdict of the parts of a call. No part at all is not understood, and so an ask. */
export function combineParts(parts: readonly Part[]): Verdict {
  const worst = worstOf(parts)
  if (!worst) return { ...notUnderstood(''), parts: [] }
  const risk = parts.reduce<Risk>((max, part) => maxRisk(max, part.risk), 'low')
  const network = parts.some((part) => part.network)
  const { verdict, rule, reason } = worst
  return settle({ verdict, risk, rule, reason, network, parts: [...parts] })
}

/** The part for what the judge cannot read. */
export function notUnderstood(text: string, reason = 'cannot be understood, so it asks'): Part {
  return { text, verdict: 'ask', risk: 'high', rule: 'shell.not-understood', reason, network: true }
}
