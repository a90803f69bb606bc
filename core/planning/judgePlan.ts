import { type Effect, effectOf } from '../actions/catalogue.ts'
import { judge, type Verdict } from '../policy/judge.ts'
import type { Policy } from '../policy/policySchema.ts'
import { ActionCallSchema } from '../protocol/actions.ts'
import { plainArgv } from '../protocol/plainArgv.ts'
import type { PlanSpec, TaskSpec } from '../protocol/specs.ts'
import type { PlaceFacts } from './planRequest.ts'

export type Judged = { key: string; verdict: Verdict; effect: Effect }

type Machine = Pick<PlaceFacts, 'roots' | 'home' | 'platform'>

/** What policy says of one spec on its machine. Pure. */
export function judgeSpec(
  spec: TaskSpec,
  machine: Machine,
  policy: Policy,
  denyPaths: readonly string[],
): Verdict {
  const call = ActionCallSchema.parse({ action: spec.action, params: spec.params })
  return judge(
    call,
    { cwd: spec.cwd, roots: machine.roots, home: machine.home, platform: machine.platform, denyPaths },
    policy,
  )
}

/** Every task of a plan, judged: its verdict, and the effect that follows from it. Pure. */
export function judgePlan(
  plan: PlanSpec,
  machineOf: (agentId: string) => Machine | undefined,
  policy: Policy,
  denyPaths: readonly string[],
): Judged[] {
  return plan.tasks.map(({ key, spec }) => {
    const machine = machineOf(spec.agent_id)
    if (!machine) throw new Error(`task ${key} names a machine that is not enrolled`)
    const verdict = judgeSpec(spec, machine, policy, denyPaths)
    return { key, verdict, effect: effectOf(spec.action, verdict) }
  })
}

/**
 * A spec as it is hashed and sent, once it was judged: the network is the one its verdict gives it, and a command of
 * plain words is program and arguments, started without a shell. Pure.
 */
export function settleSpec(spec: TaskSpec, verdict: Verdict, platform: string): TaskSpec {
  const settled = { ...spec, network: verdict.network }
  const { command } = spec.params
  if (spec.action !== 'shell' || typeof command !== 'string') return settled
  const argv = platform === 'win32' ? null : plainArgv(command)
  return { ...settled, params: argv === null ? { command } : { command, argv } }
}

const riskOrder = ['low', 'medium', 'high', 'critical'] as const

/** The highest risk among verdicts. */
export const worstRisk = (verdicts: readonly Pick<Verdict, 'risk'>[]): Verdict['risk'] =>
  verdicts.reduce<Verdict['risk']>(
    (worst, { risk }) => (riskOrder.indexOf(risk) > riskOrder.indexOf(worst) ? risk : worst),
    'low',
  )
