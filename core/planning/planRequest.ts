import type { Model } from '../llm/model.ts'
import { PlanSpec } from '../protocol/specs.ts'
import { fillPlaybook } from './fillPlaybook.ts'
import { type Match, matchPlaybook } from './matchPlaybook.ts'
import { unmetCondition } from './meetConditions.ts'
import { locate, type PlaceFacts } from './placeFacts.ts'
import { planByModel } from './planByModel.ts'
import type { Playbook } from './playbook.ts'
import { type Suggestion, suggestPlaybooks } from './suggestPlaybooks.ts'

export type { PlaceFacts, Playbook, Suggestion }

export type PlanSource =
  | { kind: 'playbook'; name: string }
  | {
      kind: 'model'
      provider: string
      model: string
      tokens_in: number
      tokens_out: number
      cost_usd: number | null
      ms: number
    }
  | { kind: 'command' }

export type PlanOutcome =
  | { kind: 'planned'; plan: PlanSpec; source: PlanSource }
  /** No playbook understood the request and there is no model; `nearest`: the three nearest playbooks. */
  | { kind: 'unmatched'; nearest: Suggestion[]; hint: string }
  /** `reason` and `hint`, one line each: what is wrong, and what to do next. */
  | { kind: 'failed'; reason: string; hint: string }

const KEY_HINT =
  'For anything else, set a model: GOOGLE_AI_API_KEY or GROQ_API_KEY (both have free keys), or OLLAMA_BASE_URL, in .env; then start again.'

type Input = {
  request: string
  place: PlaceFacts
  version: number
  signal?: AbortSignal | undefined
  context?: string | undefined
}

/** A playbook that understood the request but lacks something at the place, or an action the agent has not. */
function unmetBy(match: Match, plan: PlanSpec, place: PlaceFacts) {
  const action = plan.tasks.map((t) => t.spec.action)
  return (
    unmetCondition(match.playbook.requires, place, match.given) ??
    unmetCondition(action.length > 0 ? { action } : {}, place, match.given)
  )
}

function planByPlaybook(match: Match, place: PlaceFacts, version: number): PlanOutcome {
  const { title, name, requires } = match.playbook
  const missing = unmetCondition(requires, place, match.given)
  if (missing) return { kind: 'failed', reason: `${title}: ${missing.reason}.`, hint: missing.hint }
  const plan = PlanSpec.safeParse(fillPlaybook(match, place, version))
  if (!plan.success)
    return { kind: 'failed', reason: `${title}: nothing in this playbook fits ${place.cwd}.`, hint: KEY_HINT }
  const unable = unmetBy(match, plan.data, place)
  if (unable) return { kind: 'failed', reason: `${title}: ${unable.reason}.`, hint: unable.hint }
  return { kind: 'planned', plan: plan.data, source: { kind: 'playbook', name } }
}

/**
 * Makes the plan for a request at a place: a playbook when one understands all of it, else the model, else the
 * playbooks nearest to it. The plan is checked in form, not judged: policy does that. Effects: at most two
 * questions to the model. Throws only the reason of `signal` when that is aborted.
 */
export async function planRequest(
  deps: { playbooks: readonly Playbook[]; model: Model | null },
  input: Input,
): Promise<PlanOutcome> {
  const place = locate(input.place)
  const match = matchPlaybook(deps.playbooks, input.request, place)
  const planned = match && planByPlaybook(match, place, input.version)
  if (planned?.kind === 'planned') return planned
  if (deps.model) return planByModel(deps.model, { ...input, place })
  return (
    planned ?? {
      kind: 'unmatched',
      nearest: suggestPlaybooks(deps.playbooks, input.request, place),
      hint: KEY_HINT,
    }
  )
}
