import { may, type Person, type Right } from './people.ts'

/**
 * What a method takes. `open`: nobody has to be anyone. `part`: gateways and agents alone, never a person. `steer`:
 * the right to steer own runs where the run is the person's, else the right to steer any. All else: that right.
 */
export type Access = Right | 'steer' | 'part' | 'open'

/**
 * Every way by which something is asked of SKYNET, with what it takes: commands of the chat, taps on buttons, plain
 * text, endpoints of the REST API. What is not listed is denied to everybody; a test holds that all there is stands
 * here and nothing else.
 */
export const methods = {
  '/start': 'look',
  '/help': 'look',
  '/pair': 'open',
  'pair a group': 'manage',
  '/audit': 'manage',
  '/lockdown': 'manage',
  '/run': 'start',
  '/plan': 'start',
  '/use': 'start',
  '/status': 'look',
  '/runs': 'look',
  '/logs': 'look',
  '/policy': 'look',
  '/agents': 'look',
  '/agent_status': 'look',
  '/cancel': 'steer',
  '/pause': 'steer',
  '/resume': 'steer',
  '/retry': 'decide',
  '/settings': 'look',
  '/memory': 'look',
  '/usage': 'look',
  '/skills': 'look',
  '/approve': 'decide',
  '/deny': 'decide',
  text: 'look',
  'text that asks for work': 'start',
  'tap decide': 'decide',
  'tap arm': 'decide',
  'tap details': 'look',
  'tap more': 'decide',
  'tap stand': 'decide',
  'tap unstand': 'start',
  'tap ask_again': 'steer',
  'tap settings': 'look',
  'tap skills': 'look',
  'tap guide': 'look',
  'tap keep': 'steer',
  'tap review_guide': 'manage',
  'tap remove_guide': 'manage',
  'tap rename_guide': 'manage',
  'tap people': 'manage',
  'tap person': 'manage',
  'tap entitle': 'manage',
  'tap recovery': 'manage',
  'tap lock_down': 'manage',
  'tap machine': 'look',
  'tap revoke_machine': 'manage',
  'tap revise': 'steer',
  'tap drop': 'steer',
  'tap edit': 'steer',
  'tap say_change': 'steer',
  'tap move': 'steer',
  'tap cancel': 'steer',
  'tap pause': 'steer',
  'tap resume': 'steer',
  'tap logs': 'look',
  'tap again': 'start',
  'tap card': 'look',
  'tap elsewhere': 'steer',
  'tap retry': 'decide',
  'tap release': 'steer',
  'tap review again': 'decide',
  'tap review skip': 'steer',
  'tap say': 'start',
  'tap details_of': 'start',
  'tap use': 'start',
  'tap start': 'start',
  'tap answer': 'start',
  'tap add_machine': 'manage',
  'tap memory': 'look',
  'tap memories': 'look',
  'tap memories_of': 'look',
  'tap forget_memory': 'steer',
  'tap correct_memory': 'steer',
  'tap undo_memory': 'steer',
  'POST /v1/plan': 'start',
  'POST /v1/policy/check': 'look',
  'GET /v1/runs': 'look',
  'GET /v1/runs/:id': 'look',
  'GET /v1/runs/:id/logs': 'look',
  'GET /v1/runs/:id/stream': 'look',
  'POST /v1/runs/:id/cancel': 'steer',
  'POST /v1/runs/:id/pause': 'steer',
  'POST /v1/runs/:id/resume': 'steer',
  'POST /v1/runs/:id/skip': 'steer',
  'POST /v1/runs/:id/review': 'decide',
  'POST /v1/runs/:id/retry': 'decide',
  'GET /v1/approvals': 'look',
  'GET /v1/approvals/:id': 'look',
  'POST /v1/approvals/:id/decide': 'decide',
  'POST /v1/approvals/:id/ask-again': 'steer',
  'GET /v1/standing-approvals': 'look',
  'POST /v1/standing-approvals/:id/revoke': 'start',
  'POST /v1/tasks/enqueue': 'start',
  'POST /v1/execute': 'start',
  'GET /v1/tasks': 'look',
  'GET /v1/tasks/next': 'look',
  'GET /v1/tasks/:id': 'look',
  'POST /v1/tasks/claim': 'part',
  'POST /v1/tasks/:id/start': 'part',
  'POST /v1/tasks/:id/heartbeat': 'part',
  'POST /v1/tasks/:id/complete': 'part',
  'POST /v1/tasks/:id/release': 'part',
  'GET /v1/events': 'look',
  'GET /v1/events/stream': 'look',
  'GET /v1/audit': 'manage',
  'POST /v1/audit/verify': 'manage',
  'GET /v1/agents': 'look',
  'POST /v1/agents/:id/revoke': 'manage',
  'GET /v1/gateways': 'look',
  'GET /v1/files/ownership': 'look',
  'POST /v1/route-task': 'look',
  'POST /v1/scheduler/diagnose': 'look',
  'POST /v1/memory/store': 'start',
  'POST /v1/memory/search': 'look',
  'POST /v1/memory/similar': 'look',
  'POST /v1/memory/:id/forget': 'steer',
  'GET /v1/memory/stats': 'look',
  'GET /v1/system-state': 'look',
  'GET /v1/providers/health': 'look',
  'GET /metrics': 'look',
  'GET /v1/metrics': 'look',
  'GET /v1/health': 'open',
  'GET /v1/openapi.json': 'open',
  'GET /docs': 'open',
  'POST /v1/register-gateway': 'part',
  'POST /v1/register-worker': 'part',
  'POST /v1/agents/enroll': 'part',
  'POST /v1/report': 'part',
} as const satisfies Record<string, Access>
export type Method = keyof typeof methods

/** What a method takes; null for one that is not listed. */
export const accessOf = (method: string): Access | null =>
  Object.hasOwn(methods, method) ? methods[method as Method] : null

/**
 * Whether this person may use this method: denied unless the table says otherwise. `own`: whether the run it is about
 * is theirs; left out, where that is not known yet, the right to steer own runs is enough to go on and look.
 */
export function permits(
  person: Pick<Person, 'role'>,
  method: string,
  { own = true }: { own?: boolean } = {},
): boolean {
  const access = accessOf(method)
  if (access === null || access === 'part') return false
  if (access === 'open') return true
  if (access === 'steer') return may(person, 'steer_any') || (own && may(person, 'steer_own'))
  return may(person, access)
}
