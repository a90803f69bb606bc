import { placeLabel } from '../../core/fleet/choosePlace.ts'
import { memoryName } from '../../core/memory/memory.ts'
import { startsPrograms } from '../../core/planning/judgePlan.ts'
import { noFiles, type PlanFiles } from '../../core/planning/planFiles.ts'
import { originsOf } from '../../core/planning/untrusted.ts'
import type { ApprovalView, RunView, TaskView } from '../../core/runs/viewRun.ts'
import type { Buttons } from './buttons.ts'
import { bold, clip, code, escapeHtml, quote, time } from './html.ts'
import { planDifference } from './planDifference.ts'
import { askedSteps } from './recoveryLines.ts'
import { fileTexts } from './restedFiles.ts'
import { hasMarks, MASK_WARNING, unmask } from './unmask.ts'
import { exactAction, firstLine, joined, placeCode, runPlace, type Shown } from './words.ts'

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
            escapeHtml(clip(unmask(run.summary ?? run.request), 80)),
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

/** Said once where anything of the plan holds what only looks like something else. */
const maskLine = (run: RunView): string[] =>
  run.tasks.some((task) => hasMarks(`${exactAction(task)}${unmask(`${task.cwd} ${restNames(task)}`)}`))
    ? [MASK_WARNING]
    : []

const restNames = ({ spec }: TaskView): string => (spec.rests_on ?? []).map(({ path }) => path).join(' ')

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

/** What nobody answered in time can be asked once more, as long as nothing else became of its run. */
const againButton = (run: RunView, approval: ApprovalView): Buttons =>
  approval.status === 'expired' && run.status === 'expired'
    ? [[{ text: 'Ask again', action: { do: 'ask_again', approvalId: approval.id } }]]
    : []

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

/** What it can reach: the network, the machine beside its roots, secrets. */
function reachLines({ action, spec, confined }: TaskView): string[] {
  const walls = !startsPrograms(action) || confined === null ? [] : [confined ? 'confined' : '⚠️ not confined']
  return [
    [`network ${spec.network ? 'yes' : 'no'}`, ...walls].join(' · '),
    ...(spec.secrets ? [`🔑 is given ${spec.secrets.join(', ')}`] : []),
  ]
}

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
  const more = { text: 'More…', action: { do: 'more' as const, ...bound } }
  // Steps that join a plan which goes on are taken or left as they are.
  const changes = run.status === 'awaiting_approval' ? [revise] : []
  const ahead = approval.risk === 'critical' ? [] : [more]
  return [[approve], [deny, details], [...changes, ...ahead]].filter((row) => row.length > 0)
}

/** All of a plan, nothing cut: what `Details` shows, and the document that goes before a card that cannot show it. Pure. */
export function planText(run: RunView, approval: ApprovalView, files: PlanFiles = noFiles): string {
  const head = [
    `${approval.code} · run #${run.number} v${run.planVersion}`,
    `plan ${approval.planHash}`,
    unmask(`asked by ${run.personName ?? 'a program'}: ${run.request}`),
    ...maskLine(run),
    ...sourceLines(run),
    '',
  ]
  const tasks = run.tasks.flatMap((t) => [
    unmask(`${t.key} ${t.title}${t.dependsOn.length > 0 ? ` (after ${t.dependsOn.join(', ')})` : ''}`),
    unmask(`  on ${t.agentName}:${t.cwd}`),
    unmask(`  from: ${originsOf(run.source).join(', ')}`),
    ...exactAction(t)
      .split('\n')
      .map((line) => `  | ${line}`),
    unmask(`  ${t.verdict.verdict} · ${t.verdict.risk} · rule ${t.verdict.rule} · ${t.verdict.reason}`),
    ...reachLines(t).map((line) => `  ${line}`),
    `  at most ${t.spec.timeout_s} s`,
    ...aboutLines(t).map((line) => `  ${line}`),
    ...(t.spec.rests_on ?? []).map(({ path, sha256 }) => unmask(`  rests on ${path} ${sha256}`)),
    '',
  ])
  return [...head, ...tasks, ...fileTexts(files)].join('\n')
}

/** What made the plan, and how what it took compares with what was expected. */
function sourceLines({ source }: RunView): string[] {
  if (source?.kind !== 'model') return []
  const { estimate, used } = source
  const took = used === undefined ? '' : `, took ${used}`
  return [
    unmask(`planned by ${source.provider} ${source.model}`),
    ...(source.memories
      ? [
          `with ${source.memories.map(memoryName).join(', ')} in view: /memory ${memoryName(source.memories[0] ?? 0)} shows one`,
        ]
      : []),
    ...(estimate
      ? [
          `${estimate.complexity} (${Math.round(estimate.confidence * 100)}% sure): expected ${estimate.expected} tokens, up to ${estimate.budget}${took}`,
        ]
      : []),
  ]
}

/** What the planner says of a step; a model's words, which nobody has checked. */
const aboutLines = ({ about }: TaskView): string[] => {
  const said = about
    ? [
        ['why', about.why],
        ['then', about.expects],
        ['check', about.check],
        ['undo', about.undo],
      ]
    : []
  return said.flatMap(([what, text]) => (text ? [unmask(`${what}: ${text}`)] : []))
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
