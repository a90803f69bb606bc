import { z } from 'zod'
import type { Deps } from '../deps.ts'
import { listMachines } from '../fleet/machineFacts.ts'
import { estimateTokens } from '../llm/meter.ts'
import { type Answer, type Model, ModelError } from '../llm/model.ts'
import { clip } from '../planning/clip.ts'
import { convertDraft } from '../planning/convertDraft.ts'
import type { PlaceFacts } from '../planning/placeFacts.ts'
import { PlanDraft } from '../planning/planDraft.ts'
import type { PlanSource } from '../planning/planOutcome.ts'
import { placeFacts } from '../planning/planRun.ts'
import type { PlanTask } from '../protocol/specs.ts'
import { defaultBudget } from './cutLog.ts'
import type { CameOf } from './ladder.ts'
import type { Case } from './readCase.ts'
import { readTaskLog } from './readTaskLog.ts'
import { tokensUsed } from './tokensUsed.ts'
import { RECOVERY_PROMPT, writeQuestion, writeRepairOf } from './writeQuestion.ts'

/** What asking a model came to. */
export type Spent = { tokens: number; costUsd: number | null; ms: number }

/** Another way for what failed, as steps whose keys are their own; or why there is none. */
export type Way =
  | { kind: 'steps'; tasks: PlanTask[]; source: PlanSource | null; note: string; spent: Spent }
  /** `details`: the exact fault, for the record; people and models are told `note`. */
  | { kind: 'none'; cameOf: CameOf; note: string; spent: Spent; details?: string }

export const nothingSpent: Spent = { tokens: 0, costUsd: null, ms: 0 }
const MAX_TIMEOUT_S = 7200
const LONGER = 3
/** Tokens of one answer at most, as far as the run's budget goes. */
const MAX_ANSWER_TOKENS = 8000

type WayDeps = Pick<Deps, 'db' | 'model' | 'settings'>

/** Finds another way for a failed task, at the place where it failed. Throws only the reason of `signal`. */
export async function findWay(deps: WayDeps, facts: Case, signal: AbortSignal): Promise<Way> {
  if (facts.by === 'rule') return longerTime(facts)
  if (!deps.model) return none('no_answer', 'no model is set')
  const { spec } = facts.failed
  const machine = (await listMachines(deps.db)).find(({ agentId }) => agentId === spec.agent_id)
  if (!machine) return none('no_way', 'its machine is not there any more')
  return askModel(deps, deps.model, facts, placeFacts(machine, spec.cwd), signal)
}

type NoWay = Extract<Way, { kind: 'none' }>
const none = (cameOf: CameOf, note: string, spent: Spent = nothingSpent): NoWay => ({
  kind: 'none',
  cameOf,
  note: clip(note, 300),
  spent,
})

/** What is told of steps that cannot be used. */
const unusable = ({ noPlan }: { noPlan?: true }): string =>
  `the model ${noPlan ? 'answered something that is no plan' : 'gave steps that cannot be carried out here'}`

/** The same step with three times its time. */
function longerTime({ plan, failed }: Case): Way {
  const task = plan.tasks.find(({ key }) => key === failed.key)
  if (!task) return none('no_way', 'it is not in the plan any more')
  const timeout_s = Math.min(MAX_TIMEOUT_S, task.spec.timeout_s * LONGER)
  const longer = { ...task, depends_on: [], spec: { ...task.spec, timeout_s } }
  const note = `the same with ${timeout_s} s instead of ${task.spec.timeout_s} s`
  return { kind: 'steps', tasks: [longer], source: null, note, spent: nothingSpent }
}

async function askModel(
  deps: WayDeps,
  model: Model,
  facts: Case,
  place: PlaceFacts,
  signal: AbortSignal,
): Promise<Way> {
  const chars = defaultBudget.chars * (facts.rung === 'reduce' ? 1 : 2)
  const log = await readTaskLog(deps.db, facts.failed.id, { ...defaultBudget, chars })
  const question = writeQuestion(facts, place, log)
  const answers: Answer[] = []
  const ask = async (purpose: string, user: string): Promise<Answer> => {
    const room = await roomFor(deps, facts, user, spentOn(answers).tokens)
    return model.complete({
      purpose,
      need: facts.rung === 'reduce' ? 'balanced' : 'heavy',
      system: RECOVERY_PROMPT,
      user,
      schema: PlanDraft,
      schemaName: 'plan',
      signal,
      runId: facts.runId,
      ...(facts.personId ? { personId: facts.personId } : {}),
      maxTokens: Math.min(MAX_ANSWER_TOKENS, room),
    })
  }
  try {
    answers.push(await ask('recover', question))
    let made = convertDraft(answers[0]?.value, place, facts.plan.version + 1)
    if ('fault' in made) {
      answers.push(await ask('repair', writeRepairOf(question, answers[0]?.text ?? '', made.fault)))
      made = convertDraft(answers[1]?.value, place, facts.plan.version + 1)
    }
    const spent = spentOn(answers)
    if ('fault' in made) return { ...none('no_way', unusable(made), spent), details: clip(made.fault, 1000) }
    if ('cannot' in made) return none('no_way', made.cannot, spent)
    const source = sourceOf(model, answers, `log of #${facts.number}`)
    return { kind: 'steps', tasks: made.plan.tasks, source, note: made.plan.summary, spent }
  } catch (error) {
    if (error instanceof NoRoom) return none('limit', error.message, spentOn(answers))
    if (!(error instanceof ModelError)) throw error
    return none('no_answer', error.message, spentOn(answers))
  }
}

class NoRoom extends Error {}

/** Tokens of an answer below which no question is worth asking. */
const MIN_ANSWER_TOKENS = 500
const AROUND =
  estimateTokens(RECOVERY_PROMPT) +
  estimateTokens(JSON.stringify(z.toJSONSchema(PlanDraft, { unrepresentable: 'any' })))

/** Tokens that an answer may have after its question, of what the run's recovery may use. Throws where that is too few. */
async function roomFor(
  deps: Pick<Deps, 'db' | 'settings'>,
  { runId }: Case,
  user: string,
  justSpent: number,
): Promise<number> {
  const { tokens, asked } = await tokensUsed(deps.db, runId)
  const used = Math.max(tokens + justSpent, asked)
  const room = deps.settings.recovery.tokens - used - AROUND - estimateTokens(user)
  if (room < MIN_ANSWER_TOKENS) throw new NoRoom('the tokens of SKYNET_RECOVERY_BUDGET are used up')
  return room
}

function spentOn(answers: readonly Answer[]): Spent {
  const costs = answers.map(({ cost_usd }) => cost_usd ?? null)
  return {
    tokens: answers.reduce((n, one) => n + one.tokens_in + one.tokens_out, 0),
    costUsd: costs.includes(null) ? null : costs.reduce<number>((n, cost) => n + (cost ?? 0), 0),
    ms: Math.round(answers.reduce((n, one) => n + one.ms, 0)),
  }
}

function sourceOf(model: Model, answers: readonly Answer[], origin: string): PlanSource {
  const sum = (field: 'tokens_in' | 'tokens_out' | 'ms') => answers.reduce((n, one) => n + one[field], 0)
  const last = answers.at(-1)
  return {
    kind: 'model',
    provider: last?.provider ?? model.provider,
    model: last?.model ?? model.model,
    tokens_in: sum('tokens_in'),
    tokens_out: sum('tokens_out'),
    cost_usd: spentOn(answers).costUsd,
    ms: sum('ms'),
    from: [origin],
  }
}
