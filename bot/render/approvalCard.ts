import { placeLabel } from '../../core/fleet/choosePlace.ts'
import type { PlanFiles } from '../../core/planning/planFiles.ts'
import { originsOf } from '../../core/planning/untrusted.ts'
import type { ApprovalView, RunView, TaskView } from '../../core/runs/viewRun.ts'
import { againButton, approvalButtons } from './approvalButtons.ts'
import { maskLine, reachLines } from './cautionLines.ts'
import { bold, clip, code, escapeHtml, quote, time } from './html.ts'
import { planDifference } from './planDifference.ts'
import { askedSteps } from './recoveryLines.ts'
import { unmask } from './unmask.ts'
import { exactAction, firstLine, joined, oneLine, placeCode, runPlace, type Shown } from './words.ts'

const risks = ['low', 'medium', 'high', 'critical']
const byRisk = (a: TaskView, b: TaskView): number =>
  risks.indexOf(b.verdict.risk) - risks.indexOf(a.verdict.risk)

/** Longest command shown on the card itself; what is longer is sent whole as a document before it. */
export const MAX_SHOWN_COMMAND = 600
const MAX_ASKING = 8

/**
 * The question to people, and after the answer its record. The first 90 characters say code, risk, command, place.
 * `askedIn`: the group it was asked in, where this is a copy in somebody's private chat. Pure.
 */
export function renderApproval(
  run: RunView,
  approval: ApprovalView,
  options: { armed: boolean; askedIn?: string | null; files?: PlanFiles },
): Shown {
  if (approval.planHash !== run.planHash) return renderReplaced(run, approval)
  const asking = askedSteps(run, approval).sort(byRisk)
  const allowed = run.tasks.filter((t) => t.verdict.verdict === 'allow')
  const groups = alike(asking.slice(0, MAX_ASKING))
  const lines = [
    approval.status === 'pending'
      ? bold(headline(run, approval, asking[0] ?? run.tasks[0]))
      : recordLine(approval),
    `on ${placeCode(runPlace(run))} · #${run.number} v${run.planVersion}${run.personName ? ` · ${escapeHtml(run.personName)}` : ''}`,
    ...maskLine(run),
    ...(options.askedIn ? [escapeHtml(unmask(`asked in ${clip(options.askedIn, 60)}`))] : []),
    ...(run.tasks.length > 1
      ? [
          joined(
            escapeHtml(clip(unmask(oneLine(run.summary ?? run.request)), 80)),
            `${asking.length} of ${run.tasks.length} steps ${asking.length === 1 ? 'asks' : 'ask'}`,
          ),
        ]
      : []),
    ...originLine(run),
    ...changeLines(run, options.files),
    ...quorumLine(approval),
    ...groups.map((group) => groupLines(group, run)),
    ...(asking.length > MAX_ASKING ? [`and ${asking.length - MAX_ASKING} more: see the document above`] : []),
    quote(
      allowed.length > 0
        ? `Allowed:\n${allowed.map((t) => `${t.key} ${firstLine(exactAction(t), 80)} · ${t.verdict.risk}`).join('\n')}`
        : '',
    ),
    approval.status === 'pending'
      ? `until ${time(approval.expiresAt, 'wt')} · ${approval.planHash.slice(0, 6)}`
      : `plan ${approval.planHash.slice(0, 6)}`,
  ]
  const pending = approval.status === 'pending'
  return {
    html: lines.filter((line) => line !== '').join('\n'),
    buttons: pending ? approvalButtons(run, approval, options.armed) : againButton(run, approval),
    settled: !pending,
  }
}

/** What a revision changed: in a sentence, and line by line against the version it replaced. */
function changeLines(run: RunView, files: PlanFiles | undefined): string[] {
  if (!run.change) return []
  const lines = planDifference(run, files)
  const diff =
    lines.length > 0 ? [`<pre><code class="language-diff">${escapeHtml(lines.join('\n'))}</code></pre>`] : []
  return [escapeHtml(unmask(`v${run.planVersion}: ${run.change}`)), ...diff]
}

/** Who has approved so far, where it takes several. */
function quorumLine({ status, quorum, decisions }: ApprovalView): string[] {
  if (quorum < 2 || status !== 'pending') return []
  const names = decisions.filter(({ decision }) => decision === 'approved').map(({ name }) => name)
  const so = names.length > 0 ? `: ${names.join(', ')}` : ''
  return [escapeHtml(unmask(`${names.length} of ${quorum} people have approved${so}`))]
}

/** What a model saw beside the request, where it saw anything: any step may come of it. */
const originLine = (run: RunView): string[] => {
  const origins = originsOf(run.source)
  return origins.length > 1 ? [escapeHtml(unmask(`from: ${origins.join(', ')}`))] : []
}

/** The question about an earlier version: what it asked about is not the plan any more. */
const renderReplaced = (run: RunView, approval: ApprovalView): Shown => ({
  html: `${approval.status === 'superseded' ? bold(`${approval.code} replaced by v${run.planVersion}, below`) : recordLine(approval)}\n#${run.number} · plan ${approval.planHash.slice(0, 6)}`,
  buttons: [],
  settled: true,
})

/** A copy whose reader may not answer any more: it tells nothing of the plan. */
export const renderNotYours = ({ code: name }: ApprovalView): Shown => ({
  html: `${bold(`${name} is not yours to answer any more`)}`,
  buttons: [],
  settled: true,
})

/** What a lock screen shows of a message. */
const GLANCE = 90

/** Code, risk and the worst command, so short that the place below it is seen at a glance as well. */
function headline(run: RunView, approval: ApprovalView, worst: TaskView | undefined): string {
  const head = `❓ ${approval.code} ${approval.risk.toUpperCase()}: `
  const room = GLANCE - head.length - `\non ${unmask(runPlace(run))}`.length
  const command = worst ? firstLine(exactAction(worst), Math.min(56, Math.max(28, room))) : 'plan'
  return head + command.replace(/:$/, '')
}

/** Steps that ask for the same reason, so that it is said once. */
const alike = (tasks: TaskView[]): TaskView[][] => [
  ...Map.groupBy(tasks, (task) => verdictLines(task).join('\n')).values(),
]

const verdictLines = (task: TaskView): string[] => [
  `${task.verdict.risk} · rule ${code(task.verdict.rule)}`,
  escapeHtml(unmask(task.verdict.reason)),
  ...reachLines(task).map(escapeHtml),
]

/** Steps with their verdict; an empty line keeps them apart from what stands above when there are several. */
function groupLines(tasks: TaskView[], run: RunView): string {
  const [first] = tasks
  return `${run.tasks.length > 1 ? '\n' : ''}${[
    ...tasks.flatMap((task) => askingLines(task, run)),
    ...(first ? verdictLines(first) : []),
  ].join('\n')}`
}

function askingLines(task: TaskView, run: RunView): string[] {
  const elsewhere = task.cwd !== run.tasks[0]?.cwd || task.agentName !== run.tasks[0]?.agentName
  const number = run.tasks.length > 1 ? `${task.key} ` : ''
  return [
    number + shownAction(task),
    ...(elsewhere ? [`on ${placeCode(placeLabel(task.agentName, task.home, task.cwd))}`] : []),
    ...(exactAction(task).length > MAX_SHOWN_COMMAND ? ['shown whole in the document above'] : []),
    ...restLines(task),
  ]
}

/** The files it runs, with what they hold now; a changed one is refused. */
const restLines = ({ spec, cwd }: TaskView): string[] => {
  const files = (spec.rests_on ?? []).map(({ path, sha256 }) => {
    const name = path.startsWith(`${cwd}/`) ? path.slice(cwd.length + 1) : path
    return `${code(clip(unmask(name), 60))} ${sha256.slice(0, 6)}`
  })
  return files.length > 0
    ? [`as it is now: ${files.slice(0, 4).join(', ')}${files.length > 4 ? '…' : ''} · text in Details`]
    : []
}

/** The exact action: in its line, or as a block where it has several lines. A patch looks like one. */
function shownAction(task: TaskView): string {
  const exact = exactAction(task)
  const shown = exact.length > MAX_SHOWN_COMMAND ? `${exact.slice(0, MAX_SHOWN_COMMAND)}…` : exact
  const [first = '', ...rest] = shown.split('\n')
  if (rest.length === 0) return code(shown)
  if (task.action === 'shell') return `\n<pre>${escapeHtml(shown)}</pre>`
  const language = task.action === 'file_patch' ? ' class="language-diff"' : ''
  return `${code(first.replace(/:$/, ''))}\n<pre><code${language}>${escapeHtml(rest.join('\n').trimEnd())}</code></pre>`
}

/** Who answered how and when, in HTML. */
function recordLine(approval: ApprovalView): string {
  const last = approval.decisions.at(-1)
  const all = approval.decisions.filter(({ decision }) => decision === 'approved').map(({ name }) => name)
  const at = approval.decidedAt ? ` · ${time(approval.decidedAt)}` : ''
  switch (approval.status) {
    case 'approved':
      return bold(`✓ ${approval.code} approved by ${all.join(' and ') || 'someone'}`) + at
    case 'denied':
      return bold(`✗ ${approval.code} denied by ${last?.name ?? 'someone'}`) + at
    case 'expired':
      return bold(`⌛ ${approval.code} expired`) + at
    default:
      return bold(`${approval.code} no longer asked`) + at
  }
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
