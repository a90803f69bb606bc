import { placeLabel } from '../../core/fleet/choosePlace.ts'
import type { ApprovalView, RunView, TaskView } from '../../core/runs/viewRun.ts'
import type { Buttons } from './buttons.ts'
import { bold, clip, code, escapeHtml, quote, time } from './html.ts'
import { exactAction, firstLine, runPlace, type Shown } from './words.ts'

const risks = ['low', 'medium', 'high', 'critical']
const byRisk = (a: TaskView, b: TaskView): number =>
  risks.indexOf(b.verdict.risk) - risks.indexOf(a.verdict.risk)

/** Longest command shown on the card itself; what is longer is sent whole as a document before it. */
export const MAX_SHOWN_COMMAND = 600
const MAX_ASKING = 8

/** The question to people, and after the answer its record. The first 90 characters say code, risk, command, place. Pure. */
export function renderApproval(run: RunView, approval: ApprovalView, options: { armed: boolean }): Shown {
  if (approval.planHash !== run.planHash) return renderReplaced(run, approval)
  const asking = run.tasks.filter((t) => t.verdict.verdict === 'ask').sort(byRisk)
  const allowed = run.tasks.filter((t) => t.verdict.verdict === 'allow')
  const worst = asking[0] ?? run.tasks[0]
  const head =
    approval.status === 'pending'
      ? bold(
          `❓ ${approval.code} ${approval.risk.toUpperCase()}: ${worst ? firstLine(exactAction(worst), 56) : 'plan'}`,
        )
      : bold(recordLine(approval))
  const lines = [
    head,
    `on ${escapeHtml(runPlace(run))} · #${run.number} v${run.planVersion}${run.personName ? ` · ${escapeHtml(run.personName)}` : ''}`,
    `${escapeHtml(clip(run.summary ?? run.request, 80))} · ${asking.length} of ${run.tasks.length} ${run.tasks.length === 1 ? 'step asks' : 'steps ask'}`,
    ...(run.change ? [escapeHtml(`v${run.planVersion}: ${run.change}`)] : []),
    ...asking.slice(0, MAX_ASKING).flatMap((task) => askingLines(task, run)),
    ...(asking.length > MAX_ASKING ? [`and ${asking.length - MAX_ASKING} more: see the document above`] : []),
    quote(
      allowed.length > 0
        ? `Allowed:\n${allowed.map((t) => `${t.key} ${firstLine(exactAction(t), 80)} · ${t.verdict.risk}`).join('\n')}`
        : '',
    ),
    approval.status === 'pending'
      ? `until ${time(approval.expiresAt, 'wDT')} · ${approval.planHash.slice(0, 6)}`
      : `plan ${approval.planHash.slice(0, 6)}`,
  ]
  const pending = approval.status === 'pending'
  return {
    html: lines.filter((line) => line !== '').join('\n'),
    buttons: pending ? approvalButtons(run, approval, options.armed) : [],
    settled: !pending,
  }
}

/** The question about an earlier version: what it asked about is not the plan any more. */
const renderReplaced = (run: RunView, approval: ApprovalView): Shown => ({
  html: `${bold(approval.status === 'superseded' ? `${approval.code} replaced by v${run.planVersion}, below` : recordLine(approval))}\n#${run.number} · plan ${approval.planHash.slice(0, 6)}`,
  buttons: [],
  settled: true,
})

function askingLines(task: TaskView, run: RunView): string[] {
  const exact = exactAction(task)
  const shown = exact.length > MAX_SHOWN_COMMAND ? `${exact.slice(0, MAX_SHOWN_COMMAND)}…` : exact
  const elsewhere = task.cwd !== run.tasks[0]?.cwd || task.agentName !== run.tasks[0]?.agentName
  return [
    shown.includes('\n') ? `${task.key}\n<pre>${escapeHtml(shown)}</pre>` : `${task.key} ${code(shown)}`,
    ...(elsewhere ? [`on ${escapeHtml(placeLabel(task.agentName, task.home, task.cwd))}`] : []),
    `${task.verdict.risk} · rule ${code(task.verdict.rule)}`,
    escapeHtml(task.verdict.reason),
    `network ${task.spec.network ? 'yes' : 'no'}${exact.length > MAX_SHOWN_COMMAND ? ' · shown whole in the document above' : ''}`,
  ]
}

function recordLine(approval: ApprovalView): string {
  const last = approval.decisions.at(-1)
  const at = approval.decidedAt ? ` · ${approval.decidedAt.toISOString().slice(11, 16)} UTC` : ''
  switch (approval.status) {
    case 'approved':
      return `✓ ${approval.code} approved by ${last?.name ?? 'someone'}${at}`
    case 'denied':
      return `✗ ${approval.code} denied by ${last?.name ?? 'someone'}${at}`
    case 'expired':
      return `⌛ ${approval.code} expired${at}`
    default:
      return `${approval.code} no longer asked${at}`
  }
}

function approvalButtons(run: RunView, approval: ApprovalView, armed: boolean): Buttons {
  const bound = { approvalId: approval.id, planHash: approval.planHash }
  const dangerous = approval.risk === 'high' || approval.risk === 'critical'
  const machine = run.tasks[0]?.agentName ?? 'it'
  const deny = {
    text: 'Deny',
    style: 'danger' as const,
    action: { do: 'decide' as const, ...bound, decision: 'denied' as const },
  }
  const details = { text: 'Details', action: { do: 'details' as const, approvalId: approval.id } }
  const revise = { text: 'Revise', action: { do: 'revise' as const, approvalId: approval.id } }
  if (dangerous && armed) {
    return [
      [
        {
          text: `Yes, on ${machine}`,
          style: 'danger',
          action: { do: 'decide', ...bound, decision: 'approved' },
        },
      ],
      [{ text: 'Back', action: { do: 'arm', ...bound, armed: false } }],
    ]
  }
  const approve = dangerous
    ? { text: 'Approve', style: 'success' as const, action: { do: 'arm' as const, ...bound, armed: true } }
    : {
        text: 'Approve',
        style: 'success' as const,
        action: { do: 'decide' as const, ...bound, decision: 'approved' as const },
      }
  return [[approve], [deny, details], [revise]]
}

/** All of a plan, nothing cut: what `Details` shows, and the document that goes before a card that cannot show it. Pure. */
export function planText(run: RunView, approval: ApprovalView): string {
  const head = [
    `${approval.code} · run #${run.number} v${run.planVersion}`,
    `plan ${approval.planHash}`,
    `asked by ${run.personName ?? 'a program'}: ${run.request}`,
    '',
  ]
  const tasks = run.tasks.flatMap((t) => [
    `${t.key} ${t.title}${t.dependsOn.length > 0 ? ` (after ${t.dependsOn.join(', ')})` : ''}`,
    `  on ${t.agentName}:${t.cwd}`,
    ...exactAction(t)
      .split('\n')
      .map((line) => `  | ${line}`),
    `  ${t.verdict.verdict} · ${t.verdict.risk} · rule ${t.verdict.rule} · ${t.verdict.reason}`,
    `  network ${t.spec.network ? 'yes' : 'no'} · at most ${t.spec.timeout_s} s`,
    '',
  ])
  return [...head, ...tasks].join('\n')
}

/** Whether the card cannot show everything that is approved. */
export const needsDocument = (run: RunView): boolean => {
  const asking = run.tasks.filter((t) => t.verdict.verdict === 'ask')
  return (
    asking.length > MAX_ASKING ||
    asking.some((t) => exactAction(t).length > MAX_SHOWN_COMMAND) ||
    asking.reduce((n, t) => n + exactAction(t).length, 0) > 2400
  )
}
