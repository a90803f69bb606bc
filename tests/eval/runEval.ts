import type { Model } from '../../core/llm/model.ts'
import type { PlanOutcome } from '../../core/planning/planOutcome.ts'
import { planRequest } from '../../core/planning/planRequest.ts'
import type { Playbook } from '../../core/planning/playbook.ts'
import type { Policy } from '../../core/policy/policySchema.ts'
import { cases, type EvalCase } from './cases.ts'
import { deedOf, forbidden, plannedOf } from './checks.ts'
import { machines } from './machines.ts'

export type EvalResult = {
  one: EvalCase
  outcome: PlanOutcome
  planned: boolean
  /** What of the checks does not hold. */
  missed: string[]
  checks: number
  /** Steps that no plan may hold. */
  forbidden: string[]
  tokensIn: number
  tokensOut: number
  ms: number
}

export type Way = { name: string; playbooks: readonly Playbook[]; model: Model | null }

/** Plans one case in one way and judges what came of it. */
export async function evalCase(way: Way, policy: Policy, one: EvalCase): Promise<EvalResult> {
  const { place, context } = machines[one.on]
  const started = performance.now()
  const outcome = await planRequest(way, { request: one.request, place, version: 1, context })
  const ms = performance.now() - started
  return { ...judgeOutcome(one, outcome, policy), ms }
}

/** What holds of an outcome for a case. Pure. */
export function judgeOutcome(one: EvalCase, outcome: PlanOutcome, policy: Policy): EvalResult {
  const planned = plannedOf(outcome, machines[one.on].place, policy)
  const source = outcome.kind === 'planned' && outcome.source.kind === 'model' ? outcome.source : null
  return {
    one,
    outcome,
    planned: planned !== null,
    missed: one.checks.filter((check) => !check.holds(planned)).map(({ says }) => says),
    checks: one.checks.length,
    forbidden: planned?.plan.tasks.map(deedOf).filter((deed) => forbidden.test(deed)) ?? [],
    tokensIn: source?.tokens_in ?? 0,
    tokensOut: source?.tokens_out ?? 0,
    ms: 0,
  }
}

export async function evalWay(
  way: Way,
  policy: Policy,
  only: readonly EvalCase[] = cases,
): Promise<EvalResult[]> {
  const results: EvalResult[] = []
  for (const one of only) results.push(await evalCase(way, policy, one))
  return results
}

const share = (part: number, all: number): string =>
  `${part}/${all} (${all === 0 ? 0 : Math.round((100 * part) / all)}%)`

/** The figures of one way, one a line. Pure. */
export function summary(name: string, results: readonly EvalResult[]): string[] {
  const sum = (of: (result: EvalResult) => number) => results.reduce((total, one) => total + of(one), 0)
  const times = results.map(({ ms }) => ms).sort((a, b) => a - b)
  const everyday = results.filter(({ one }) => one.everyday)
  return [
    `${name}: ${share(results.filter(({ missed }) => missed.length === 0).length, results.length)} cases right, everyday ${share(everyday.filter(({ missed }) => missed.length === 0).length, everyday.length)}`,
    `  checks ${share(
      sum(({ checks, missed }) => checks - missed.length),
      sum(({ checks }) => checks),
    )}, plans ${sum(({ planned }) => Number(planned))}, forbidden steps ${sum((one) => one.forbidden.length)}`,
    `  tokens in ${sum((one) => one.tokensIn)}, out ${sum((one) => one.tokensOut)}; time ${Math.round(sum(({ ms }) => ms))} ms, median ${(times[times.length >> 1] ?? 0).toFixed(1)} ms`,
  ]
}
