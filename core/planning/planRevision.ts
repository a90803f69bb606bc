import type { Deps } from '../deps.ts'
import { isOwnWords } from '../memory/isOutside.ts'
import { PlanSpec } from '../protocol/specs.ts'
import type { RevisionWish } from './askRevision.ts'
import { clip } from './clip.ts'
import type { Made } from './commitRevision.ts'
import type { Gathered } from './gatherContext.ts'
import type { PlaceFacts } from './placeFacts.ts'
import { planByModel } from './planByModel.ts'
import type { PlanOutcome, PlanSource } from './planOutcome.ts'
import { originsOf } from './untrusted.ts'

type Revising = {
  run: { id: string; request: string; plan_version: number }
  wish: RevisionWish
  place: PlaceFacts
  signal: AbortSignal
  gather(): Promise<Gathered>
  onText(soFar: string): void
}

/**
 * The newest plan of a run, changed as somebody said in words. When no model can, the same plan as a new version that
 * says why it was not changed: a question never goes away for an answer that was not understood. A model is told one
 * place and all that it answers is done there, so that it is not asked about a plan of several machines.
 */
export async function planRevision(
  deps: Pick<Deps, 'db' | 'model' | 'log' | 'redact'>,
  revising: Revising,
): Promise<Made> {
  const { run, wish } = revising
  const [row] = await deps.db.query<{ spec: unknown; source: PlanSource }>(
    'SELECT spec, source FROM plan WHERE run_id = $1 AND version = $2',
    [run.id, run.plan_version],
  )
  if (!row) throw new Error(`run ${run.id} has no plan to revise`)
  const { fault: _, ...source } = row.source as PlanSource & { fault?: string }
  const old = { plan: PlanSpec.parse(row.spec), source }
  const outcome = await revise(deps, revising, old.plan)
  if (outcome.kind !== 'planned') {
    const why = outcome.kind === 'failed' ? outcome.reason : 'no language model is set'
    const plan = { ...old.plan, version: old.plan.version + 1 }
    const details = outcome.kind === 'failed' ? outcome.details : undefined
    const fault = details === undefined ? {} : { fault: deps.redact(details) }
    if (fault.fault) deps.log.warn(`revision of ${run.id}: ${fault.fault}`)
    return { plan, source: { ...old.source, ...changeOf(`not changed: ${clip(why, 200)}`), ...fault } }
  }
  return {
    plan: outcome.plan,
    source: { ...withOrigins(outcome.source, old.source, wish), ...changeOf(`“${clip(wish.text, 200)}”`) },
  }
}

/** What the new version's card begins with. */
const changeOf = (change: string): { change: string } => ({ change })

const elsewhere = ({ agentName }: PlaceFacts): string =>
  `words change plans of one machine, and some of its steps are not on ${agentName}`

async function revise(
  deps: Pick<Deps, 'model'>,
  { run, wish, place, signal, gather, onText }: Revising,
  plan: PlanSpec,
): Promise<PlanOutcome> {
  if (plan.tasks.some(({ spec }) => spec.agent_id !== place.agentId))
    return { kind: 'failed', reason: `${elsewhere(place)}: take the buttons`, hint: '' }
  if (!deps.model) return { kind: 'unmatched', nearest: [], hint: '' }
  return planByModel(deps.model, {
    ...{ request: run.request, place, signal, onText },
    ...(await gather()),
    version: plan.version + 1,
    forRun: { id: run.id, personId: wish.by },
    revise: { plan, change: wish.text },
  })
}

/** How people are told of a wish that need not be its sender's own words. */
const PASTED = 'a pasted change'

/** What stood before the model when the old plan was made may still speak out of it; so may a wish from elsewhere. */
function withOrigins(source: PlanSource, old: PlanSource, wish: RevisionWish): PlanSource {
  const pasted = wish.forwarded || !isOwnWords(wish.text) ? [PASTED] : []
  const from = [...new Set([...originsOf(source), ...originsOf(old), ...pasted])].filter(
    (origin) => origin !== 'you',
  )
  return source.kind === 'model' && from.length > 0 ? { ...source, from } : source
}
