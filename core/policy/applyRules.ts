import type { Fact, Finding } from './facts.ts'
import { findFloor, floorReasons } from './floor.ts'
import type { Policy, When } from './policySchema.ts'
import { type Part, settle, worstOf } from './verdict.ts'

type Judged = Omit<Part, 'text'>

/** Judges the facts of one command: each by the floor, then by the first rule that fits; the worst counts. */
export function applyRules(finding: Finding, policy: Policy): Part {
  const judged = finding.facts.map((fact) => judgeFact(fact, policy))
  const worst = worstOf(judged) ?? judgeFact({ effect: 'shell.not-understood' }, policy)
  return settle({ text: shorten(finding.text), ...worst, network: judged.some((one) => one.network) })
}

function judgeFact(fact: Fact, policy: Policy): Judged {
  const network = mayReach(fact)
  const floor = findFloor(fact)
  if (floor)
    return {
      verdict: 'deny',
      risk: 'critical',
      rule: floor,
      reason: floorReasons[floor] ?? 'is never allowed',
      network,
    }
  const rule = policy.rules.find((candidate) => candidate.when.some((when) => fits(when, fact)))
  if (!rule) return { ...policy.defaults, rule: 'policy.no-rule', network }
  const reason = fact.unnamed ? `${rule.reason}; the name is known only when it runs` : rule.reason
  return settle({ verdict: rule.verdict, risk: rule.risk, rule: rule.id, reason, network })
}

/** What runs is known only when it runs, so that nobody can say it stays off the network. */
const unknownCode =
  /^(shell\.(dynamic-command|dynamic-code|not-understood|syntax|too-long|too-deep|eval|windows)|code\.(stdin|interactive|inline))$/

const mayReach = (fact: Fact): boolean => fact.network === true || unknownCode.test(fact.effect)

/**
 * What the shell itself does around a program (redirections, odd text, overridden variables) is judged only by
 * rules that name its effect: allowing a program allows the program, not everything written beside it.
 */
function fits(when: When, fact: Fact): boolean {
  if (when.effect === undefined && (fact.program === undefined || fact.effect.startsWith('shell.')))
    return false
  return (
    (when.effect?.some((effect) => sameEffect(effect, fact.effect)) ?? true) &&
    (when.place?.some((place) => place === fact.place) ?? true) &&
    (when.program?.some((program) => program === fact.program) ?? true) &&
    (when.subcommand?.some((subcommand) => subcommand === fact.subcommand) ?? true) &&
    (when.option?.some((option) => fact.options?.includes(option)) ?? true) &&
    (when.network === undefined || when.network === mayReach(fact))
  )
}

function sameEffect(pattern: string, effect: string): boolean {
  return pattern.endsWith('*') ? effect.startsWith(pattern.slice(0, -1)) : pattern === effect
}

function shorten(text: string): string {
  return text.length > 400 ? `${text.slice(0, 399)}…` : text
}
