import type { LedgerEvent } from '../events/readEvents.ts'
import type { OtherEvent } from '../events/tellEvent.ts'

/** Of every event that no transition writes: whether it tells of what a person did, and so belongs to the trail. */
const audited: Readonly<Record<OtherEvent, boolean>> = {
  'approval.asked_again': true,
  'approval.decision': true,
  'run.cancel_asked': true,
  'standing.given': true,
  'standing.revoked': true,
  'agent.enrolled': true,
  'agent.revoked': true,
  'person.role': true,
  'person.entitled': true,
  'token.made': true,
  'token.revoked': true,
  'code.made': true,
  'page.opened': true,
  'settings.changed': true,
  'policy.changed': true,
  'keys.rotated': true,
  'chat.paired': true,
  lockdown: true,
  'guide.brought': true,
  'guide.reviewed': true,
  'guide.renamed': true,
  'guide.removed': true,
  'memory.stored': true,
  'memory.corrected': true,
  'memory.forgotten': true,
  'run.created': false,
  'plan.made': false,
  'task.created': false,
  'approval.asked': false,
  'approval.reminder': false,
  'recovery.begun': false,
  'milestone.started': false,
  'milestone.done': false,
  'standing.used': false,
  'attempt.claimed': false,
  'attempt.cancel_asked': false,
  'attempt.tree_exited': false,
  'attempt.progress': false,
  'agent.connected': false,
  'agent.disconnected': false,
  'gateway.registered': false,
  'gateway.breaker_opened': false,
  'gateway.breaker_closed': false,
  'chat.blocked': false,
  'guide.found': false,
}

/** Transitions that a person may have made: a review, a retry. They count when they name one. */
const byPeople: ReadonlySet<string> = new Set(['task.queued', 'task.skipped'])

const always = Object.entries(audited).flatMap(([type, is]) => (is ? [type] : []))
const isAlways: ReadonlySet<string> = new Set(always)

/** The types of events to look at for the trail. */
export const auditedTypes: readonly string[] = [...always, ...byPeople]

/** Whether an event belongs to the trail. */
export const isAudited = ({ type, data }: Pick<LedgerEvent, 'type' | 'data'>): boolean =>
  isAlways.has(type) || (byPeople.has(type) && typeof data.person_id === 'string')
