import type { ApprovalView, RunView, TaskView } from '../../../core/runs/viewRun.ts'

/* Runs as the ledger shows them, for the renderers. */

export const now = new Date('2026-05-04T14:03:22Z')
const ago = (seconds: number): Date => new Date(now.getTime() - seconds * 1000)
export const HASH = '9f3a12'.padEnd(64, '0')

type Verdict = TaskView['verdict']
export const verdict = (more: Partial<Verdict> = {}): Verdict => ({
  verdict: 'ask',
  risk: 'medium',
  rule: 'code.run-project',
  reason: "runs the project's own code",
  network: false,
  parts: [],
  ...more,
})

export function task(
  key: string,
  more: Partial<TaskView> & { command?: string; network?: boolean } = {},
): TaskView {
  const { command = 'npm test', network = false, ...rest } = more
  return {
    id: `00000000-0000-4000-8000-00000000000${key}`,
    key,
    title: `step ${key}`,
    milestone: null,
    status: 'queued',
    action: 'shell',
    spec: {
      action: 'shell',
      params: { command },
      agent_id: '00000000-0000-4000-8000-0000000000aa',
      machine_id: 'm'.repeat(32),
      cwd: '/home/ana/api',
      required_files: [],
      timeout_s: 60,
      network,
    },
    verdict: verdict(),
    agentId: '00000000-0000-4000-8000-0000000000aa',
    agentName: 'laptop',
    connected: true,
    disconnectedAt: null,
    home: '/home/ana',
    cwd: '/home/ana/api',
    waiting: null,
    recoveryId: null,
    standing: null,
    dependsOn: [],
    startedAt: null,
    endedAt: null,
    attempts: 0,
    containment: null,
    confined: true,
    leaseUntil: null,
    result: null,
    error: null,
    ...rest,
  } as TaskView
}

/** A task that ran for this many seconds. */
export const ran = (key: string, seconds: number, more: Parameters<typeof task>[1] = {}): TaskView =>
  task(key, { status: 'succeeded', startedAt: ago(seconds), endedAt: now, attempts: 1, ...more })

export const result = (
  more: Partial<NonNullable<TaskView['result']>> = {},
): NonNullable<TaskView['result']> =>
  ({ status: 'succeeded', exit_code: 0, signal: null, summary: '', changed: [], ...more }) as NonNullable<
    TaskView['result']
  >

export const approval = (more: Partial<ApprovalView> = {}): ApprovalView => ({
  id: '00000000-0000-4000-8000-0000000000bb',
  code: 'K7',
  planHash: HASH,
  planVersion: 1,
  status: 'pending',
  risk: 'medium',
  quorum: 1,
  expiresAt: new Date(now.getTime() + 86_400_000),
  decidedAt: null,
  remindedAt: null,
  decisions: [],
  ...more,
})

export const run = (more: Partial<RunView> = {}): RunView => ({
  id: '00000000-0000-4000-8000-0000000000cc',
  number: 12,
  kind: 'request',
  status: 'running',
  request: 'run the tests',
  summary: 'Run the tests',
  personId: '00000000-0000-4000-8000-0000000000dd',
  personName: 'Ana',
  cancelledByName: null,
  chatId: 1,
  topicId: 0,
  messageId: 1,
  agentName: 'laptop',
  agentHome: '/home/ana',
  cwd: '/home/ana/api',
  connected: true,
  planVersion: 1,
  error: null,
  source: { kind: 'playbook', name: 'run-tests' } as RunView['source'],
  planHash: HASH,
  change: null,
  changeFault: null,
  replaced: null,
  createdAt: ago(102),
  startedAt: ago(102),
  endedAt: null,
  cancelAt: null,
  tasks: [],
  milestones: [],
  approvals: [],
  recoveries: [],
  ...more,
})
