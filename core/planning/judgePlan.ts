import { type Effect, effectOf } from '../actions/catalogue.ts'
import { judge, type Verdict } from '../policy/judge.ts'
import type { Policy } from '../policy/policySchema.ts'
import { risks } from '../policy/verdict.ts'
import { ActionCallSchema, type ActionName } from '../protocol/actions.ts'
import type { AgentFacts } from '../protocol/frames.ts'
import { plainArgv } from '../protocol/plainArgv.ts'
import type { PlanSpec, TaskSpec } from '../protocol/specs.ts'

export type Judged = { key: string; verdict: Verdict; effect: Effect }

/** A machine as far as a verdict depends on it. `containment` is missing where the agent is not one of SKYNET's. */
export type JudgedMachine = Pick<AgentFacts, 'roots' | 'home' | 'platform'> &
  Partial<Pick<AgentFacts, 'containment' | 'confined'>>

/** What starts programs; the agent does the rest itself, inside the roots. */
const programs: ReadonlySet<ActionName> = new Set([
  'shell',
  'script',
  'run_tests',
  'git_init',
  'git_status',
  'git_diff',
  'git_commit',
])

/** Whether a task starts programs. */
export const startsPrograms = (action: ActionName): boolean => programs.has(action)

/** Whether what a task starts can see and reach all that the agent's account can. */
const isUnconfined = (
  action: ActionName,
  machine: Pick<JudgedMachine, 'containment' | 'confined'>,
): boolean => programs.has(action) && machine.containment !== undefined && machine.confined === undefined

/**
 * What policy says of one spec on its machine, and the effect that follows. Where commands are not confined their risk
 * is one step higher; their effect stays what policy understood of them. Pure.
 */
export function judgeTask(
  spec: TaskSpec,
  machine: JudgedMachine,
  policy: Policy,
  denyPaths: readonly string[],
): Omit<Judged, 'key'> {
  const call = ActionCallSchema.parse({ action: spec.action, params: spec.params })
  const { cwd, action } = spec
  const { roots, home, platform } = machine
  const verdict = judge(call, { cwd, roots, home, platform, denyPaths }, policy)
  const placed = isUnconfined(action, machine) ? oneStepHigher(verdict) : verdict
  return {
    verdict: spec.secrets ? withSecrets(placed, spec.secrets) : placed,
    effect: effectOf(action, verdict),
  }
}

/** The verdict of `judgeTask`. Pure. */
export const judgeSpec = (...task: Parameters<typeof judgeTask>): Verdict => judgeTask(...task).verdict

/** The same with its risk one step higher; an allow that becomes high asks. */
function oneStepHigher(verdict: Verdict): Verdict {
  const risk = risks[risks.indexOf(verdict.risk) + 1] ?? 'critical'
  const asks = verdict.verdict === 'allow' && risks.indexOf(risk) >= risks.indexOf('high')
  return asks
    ? { ...verdict, risk, verdict: 'ask', reason: `${verdict.reason}; nothing confines it there` }
    : { ...verdict, risk }
}

/** Whoever is given a secret asks: nobody can tell from a command's text what it does with it. */
function withSecrets(verdict: Verdict, secrets: readonly string[]): Verdict {
  const risk = worstRisk([verdict, { risk: 'high' }])
  if (verdict.verdict !== 'allow') return { ...verdict, risk }
  return {
    ...verdict,
    verdict: 'ask',
    risk,
    rule: 'secret.given',
    reason: `it is given ${secrets.join(', ')}`,
  }
}

/** Every task of a plan, judged: its verdict, and the effect that follows from it. Pure. */
export function judgePlan(
  plan: PlanSpec,
  machineOf: (agentId: string) => JudgedMachine | undefined,
  policy: Policy,
  denyPaths: readonly string[],
): Judged[] {
  return plan.tasks.map(({ key, spec }) => {
    const machine = machineOf(spec.agent_id)
    if (!machine) throw new Error(`task ${key} names a machine that is not enrolled`)
    return { key, ...judgeTask(spec, machine, policy, denyPaths) }
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

/** The highest risk among verdicts. */
export const worstRisk = (verdicts: readonly Pick<Verdict, 'risk'>[]): Verdict['risk'] =>
  verdicts.reduce<Verdict['risk']>(
    (worst, { risk }) => (risks.indexOf(risk) > risks.indexOf(worst) ? risk : worst),
    'low',
  )
