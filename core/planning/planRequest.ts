import type { Model } from '../llm/model.ts'
import { PlanSpec } from '../protocol/specs.ts'
import { suggestFixes } from '../recovery/suggestFixes.ts'
import { fillPlaybook } from './fillPlaybook.ts'
import type { Gathered } from './gatherContext.ts'
import { type Match, matchOne, matchPlaybook } from './matchPlaybook.ts'
import { KEY_HINT, unmetCondition } from './meetConditions.ts'
import { locate, type PlaceFacts } from './placeFacts.ts'
import { type ModelInput, planByModel } from './planByModel.ts'
import type { PlanOutcome, PlanSource } from './planOutcome.ts'
import type { Playbook } from './playbook.ts'
import { readPasted } from './readPasted.ts'
import { type Suggestion, suggestPlaybooks } from './suggestPlaybooks.ts'
import { tidyRequest } from './tidyRequest.ts'
import type { Untrusted } from './untrusted.ts'

export type { PlaceFacts, PlanOutcome, PlanSource, Playbook, Suggestion }

type Input = Omit<ModelInput, 'lookId' | 'uses'> & {
  /** Collects more context; asked for only when the model is. */
  gather?: (() => Promise<Gathered>) | undefined
  /** The run it is for, and whose: what models cost is counted there. */
  forRun?: { id: string; personId: string | null } | undefined
  /** Playbooks learned from runs: asked where no shipped one understands the request. */
  learned?: readonly Playbook[]
  /** Skills chosen for the request; asked for only when a model plans. */
  guidance?: () => Promise<readonly Untrusted[]>
}

/** Of a learned playbook: that it is one, and what it was learned with in view. */
const provenance = (learned: Playbook['learned']) =>
  learned && { learned: true as const, ...(learned.origins.length > 0 ? { from: [...learned.origins] } : {}) }

/** A playbook understood the request; it may still lack something at the place, or an action the agent has not. */
function planByPlaybook(match: Match, place: PlaceFacts, version: number): PlanOutcome {
  const { title, name, requires, learned } = match.playbook
  const missing = unmetCondition(requires, place, match.given)
  if (missing) return { kind: 'failed', reason: `${title}: ${missing.reason}.`, hint: missing.hint }
  const plan = PlanSpec.safeParse(fillPlaybook(match, place, version))
  if (!plan.success)
    return { kind: 'failed', reason: `${title}: nothing in this playbook fits ${place.cwd}.`, hint: KEY_HINT }
  const action = plan.data.tasks.map((t) => t.spec.action)
  const unable = unmetCondition({ action }, place, match.given)
  if (unable) return { kind: 'failed', reason: `${title}: ${unable.reason}.`, hint: unable.hint }
  return { kind: 'planned', plan: plan.data, source: { kind: 'playbook', name, ...provenance(learned) } }
}

/** All that the model is to have in view. */
async function viewOf({ context = [], gather, guidance }: Input): Promise<Gathered> {
  const [guides = [], gathered = { context: [] }] = await Promise.all([guidance?.(), gather?.()])
  return { ...gathered, context: [...context, ...guides, ...gathered.context] }
}

/** Whether how the last tests ended decides what a request means. Pure. */
export const asksAboutTests = (playbooks: readonly Playbook[], request: string): boolean => {
  const tidy = tidyRequest(request)
  return playbooks.some((p) => p.requires.failing !== undefined && matchOne(p, tidy) !== null)
}

/**
 * Makes the plan for a request at a place: a playbook when one understands all of it (shipped ones before learned ones),
 * else the model, else the playbooks nearest to it. The plan is checked in form, not judged: policy does that. Effects: a
 * few questions to the model, and what `gather` and `guidance` do. Throws only the reason of `signal` when that is aborted.
 */
export async function planRequest(
  deps: { playbooks: readonly Playbook[]; model: Model | null },
  input: Input,
): Promise<PlanOutcome> {
  const place = locate(input.place)
  const learned = input.learned ?? []
  const match =
    matchPlaybook(deps.playbooks, input.request, place) ?? matchPlaybook(learned, input.request, place)
  const planned = match && planByPlaybook(match, place, input.version)
  if (planned?.kind === 'planned') return planned
  if (deps.model) return planByModel(deps.model, { ...input, place, ...(await viewOf(input)) })
  return planned ?? unmatched([...deps.playbooks, ...learned], input.request, place)
}

/** What would work instead: of a pasted log what removes the cause it tells of, else what is near to the person's own words. */
function unmatched(playbooks: readonly Playbook[], request: string, place: PlaceFacts): PlanOutcome {
  const pasted = readPasted(request)
  if (!pasted)
    return { kind: 'unmatched', nearest: suggestPlaybooks(playbooks, request, place), hint: KEY_HINT }
  const failures = pasted.kind === null ? [] : [pasted.kind]
  const fixes = suggestFixes(playbooks, { status: 'failed', failures, said: request })
  const nearest =
    fixes.length > 0
      ? fixes.map(({ title, request: text }) => ({ playbook: '', title, request: text, example: text }))
      : suggestPlaybooks(playbooks, pasted.asked, place)
  return { kind: 'unmatched', nearest, hint: KEY_HINT, pasted }
}
