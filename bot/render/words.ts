import { assertNever } from '../../core/assertNever.ts'
import { placeLabel } from '../../core/fleet/choosePlace.ts'
import { isNotUnderstood } from '../../core/runs/notUnderstood.ts'
import { testSummary } from '../../core/runs/testSummary.ts'
import type { RunView, TaskView } from '../../core/runs/viewRun.ts'
import type { Waiting } from '../../core/scheduling/waitingFor.ts'
import { clip, clock, code, escapeHtml, plain, time } from './html.ts'
import { reveal, unmask } from './unmask.ts'

export type Shown = { html: string; buttons: [] | import('./buttons.ts').Buttons; settled: boolean }

/** The one word people read for where a run is. */
export function stateWord(run: RunView): { icon: string; word: string } {
  switch (run.status) {
    case 'planning':
      return { icon: '💭', word: 'planning' }
    case 'awaiting_approval':
      return { icon: '❓', word: 'awaiting approval' }
    case 'running':
      return runningWord(run)
    case 'paused':
      return { icon: '⏸', word: 'paused' }
    case 'cancelling':
      return { icon: '⏹', word: 'cancelling' }
    case 'succeeded':
      return { icon: '✅', word: 'succeeded' }
    case 'failed':
      return isNotUnderstood(run) ? { icon: '🤔', word: 'not understood' } : { icon: '❌', word: 'failed' }
    case 'cancelled':
      return { icon: '⏹', word: 'cancelled' }
    case 'force_cancelled':
      return { icon: '⚠️', word: 'force-cancelled' }
    case 'denied':
      return { icon: '🚫', word: 'denied' }
    case 'refused':
      return { icon: '⛔', word: 'refused' }
    case 'expired':
      return { icon: '⌛', word: 'expired' }
    default:
      return assertNever(run.status)
  }
}

function runningWord(run: RunView): { icon: string; word: string } {
  const has = (...statuses: string[]) => run.tasks.some((task) => statuses.includes(task.status))
  if (has('needs_review')) return { icon: '🖐', word: 'needs you' }
  if (has('held') && !has('running', 'claimed', 'queued')) return { icon: '🖐', word: 'needs you' }
  return has('running') || !has('queued', 'claimed') || !waitReason(run)
    ? { icon: '▶️', word: 'running' }
    : { icon: '⏳', word: 'waiting' }
}

/** What nothing of the run goes on for, in HTML: the machine or a file; null while it is about to start. */
export function waitReason(run: RunView): string | null {
  const waiting = run.tasks.find(
    (task) => ['queued', 'claimed', 'running'].includes(task.status) && (!task.connected || hasReason(task)),
  )
  if (!waiting) return null
  if (!waiting.connected)
    return `${escapeHtml(waiting.agentName)} is offline${waiting.disconnectedAt ? ` since ${time(waiting.disconnectedAt)}` : ''}`
  return waiting.waiting ? reasonHtml(waiting.waiting) : null
}

/** Whether something is in its way that a person may want to know of. */
const hasReason = ({ waiting }: TaskView): boolean => waiting !== null && reasonHtml(waiting) !== null

function reasonHtml(waiting: Waiting): string | null {
  if (waiting.for === 'file') {
    const { run, key, foreign } = waiting.holder
    const holder = foreign ? 'work of another chat' : `#${run} step ${escapeHtml(key)}`
    return `waits for ${code(waiting.path)}, held by ${holder}`
  }
  if (waiting.for === 'gateway') return `gateway ${escapeHtml(waiting.name)} does not answer`
  if (waiting.for === 'slots') return `${escapeHtml(waiting.name)} is busy: ${waiting.held} tasks at work`
  return waiting.for === 'lockdown' ? 'everything is locked down' : null
}

const icons: Record<string, string> = {
  held: '○',
  blocked: '○',
  queued: '○',
  claimed: '▷',
  running: '▶',
  succeeded: '✓',
  failed: '✗',
  failed_timeout: '✗',
  cancelled: '–',
  skipped: '–',
  force_cancelled: '⚠',
  needs_review: '?',
}
export const taskIcon = (task: TaskView): string => icons[task.status] ?? '○'

/** How long a task took or has taken: `12 s`, `1:20`. */
export function taskTime(task: TaskView, now: Date): string {
  if (!task.startedAt) return ''
  const ms = (task.endedAt ?? now).getTime() - task.startedAt.getTime()
  return task.endedAt && ms < 60_000
    ? ms < 1000
      ? `${ms < 100 ? '<0.1' : (ms / 1000).toFixed(1)} s`
      : `${Math.round(ms / 1000)} s`
    : clock(ms)
}

/** Where a run works, as every card names it. */
export const runPlace = (run: RunView): string => {
  const task = run.tasks[0]
  if (task) return placeLabel(task.agentName, task.home, task.cwd)
  return run.agentName && run.cwd ? placeLabel(run.agentName, run.agentHome, run.cwd) : 'no machine yet'
}

/** About as many characters as a phone shows in a line. */
const LINE = 36

/** Parts joined by dots, or a line for each where one line would be too long for a phone. HTML in, HTML out. */
export const joined = (...parts: string[]): string => {
  const there = parts.filter((part) => part !== '')
  const line = there.join(' · ')
  return plain(line).length <= LINE ? line : there.join('\n')
}

/** A place as code: clients would take the `/api` of a bare path for a command. */
export const placeCode = (place: string): string => code(unmask(place))

/** What a run does and where, as its cards say it below their first line. */
export const whatWhere = (run: RunView, max: number, who = ''): string =>
  joined(
    run.kind === 'command'
      ? code(clip(commandOf(run), max))
      : escapeHtml(clip(unmask(oneLine(run.summary ?? run.request)), Math.min(max, 120))),
    `${placeCode(runPlace(run))}${who === '' ? '' : ` · ${escapeHtml(who)}`}`,
  )

/** The files of a unified diff, by their new names. */
const patchedFiles = (patch: string): string =>
  [...patch.matchAll(/^\+\+\+ (?:b\/)?([^\t\n]+)/gm)].map(([, path]) => path).join(', ') || 'files'

/** What a task does, exactly, in one or more lines: the command, or the action with what it acts on. */
export function exactAction(task: Pick<TaskView, 'action' | 'spec'>): string {
  const p = task.spec.params as Record<string, string | string[] | number | boolean | undefined>
  switch (task.action) {
    case 'shell':
      return unmask(String(p.command), 'command')
    case 'script':
      return unmask(
        `${p.interpreter} script${Array.isArray(p.args) ? ` ${p.args.join(' ')}` : ''}:\n${p.body}`,
        'command',
      )
    case 'file_read':
      return unmask(`read ${p.path}`)
    case 'file_list':
      return unmask(`list ${p.path ?? '.'}`)
    case 'file_write':
      return unmask(`${p.mode === 'create' ? 'create' : 'write'} ${p.path}:\n${p.content}`)
    case 'file_patch':
      return unmask(`patch ${patchedFiles(String(p.patch))}:\n${p.patch}`)
    case 'git_init':
      return unmask(`git init ${p.path ?? '.'}`)
    case 'git_status':
      return 'git status'
    case 'git_diff':
      return unmask(
        `git diff${p.staged ? ' --staged' : ''}${p.ref ? ` ${p.ref}` : ''}${p.path ? ` ${p.path}` : ''}`,
      )
    case 'git_commit':
      return unmask(
        `git commit of ${Array.isArray(p.paths) ? p.paths.join(', ') : 'all changes'}: ${p.message}`,
      )
    case 'run_tests':
      return unmask(
        `run tests with ${p.tool === 'auto' ? 'the tool found' : p.tool}${Array.isArray(p.args) ? ` ${p.args.join(' ')}` : ''}`,
      )
    case 'noop':
      return 'nothing'
    default:
      return assertNever(task.action)
  }
}

/** Text of several lines in one, as a list shows it. */
export const oneLine = (text: string): string => text.trim().replace(/\s+/g, ' ')

export const firstLine = (text: string, max = 80): string => clip(text.split('\n')[0] ?? '', max)

const dollars = (usd: number): string => (usd > 0 && usd < 0.0005 ? '<$0.001' : `$${usd.toFixed(3)}`)

/** What an outcome cost: all that language models did for it, planning and what came later. */
export function costLine({ source, used }: RunView): string {
  const playbook = source?.kind === 'playbook' ? `playbook ${source.name} · ` : ''
  const planned =
    source?.kind === 'model'
      ? {
          ...{ tokens: source.tokens_in + source.tokens_out, usd: source.cost_usd ?? 0 },
          unpriced: source.cost_usd === null ? source.tokens_in + source.tokens_out : 0,
        }
      : null
  const all = used ?? planned
  if (!all) return `${playbook}no model used`
  const tokens = `${(all.tokens / 1000).toFixed(1)}k tokens`
  const model = source?.kind === 'model' ? source.model : 'price not known'
  if (all.unpriced > 0 && all.usd === 0) return `${playbook}${model} · ${tokens}`
  return `${playbook}${dollars(all.usd)}${all.unpriced > 0 ? ' and more' : ''} · ${tokens}`
}

/** What came out of a task in a few words: test counts, changed files, the size of a diff, else its last line. */
export function cameOut(task: Pick<TaskView, 'action' | 'cwd' | 'result'>): string {
  const text = task.result?.summary.trim() ?? ''
  const lines = text.split('\n').map((line) => line.trim())
  switch (task.action) {
    case 'file_patch':
    case 'file_write':
      return reveal(changedNames(task))
    case 'file_read':
    case 'script':
      return ''
    case 'git_diff':
      return text === '' ? 'nothing' : text.startsWith('diff --git ') ? diffSize(text) : 'a long diff'
    case 'git_status':
      return lines.every((line) => line === '' || line.startsWith('##'))
        ? 'clean'
        : `${lines.filter((line) => !line.startsWith('##')).length} changed`
    default:
      return testSummary(text) ?? reveal(lines.at(-1) ?? '')
  }
}

/** What a `/run` runs: its command as it stands in the plan now, which may have been rewritten since it was asked. */
const commandOf = (run: RunView): string => {
  const [task] = run.tasks
  return task?.action === 'shell' ? exactAction(task) : reveal(run.request)
}

/** The paths a task changed, relative to where it worked. */
export const changedNames = (task: Pick<TaskView, 'cwd' | 'result'>): string =>
  (task.result?.changed ?? [])
    .map((path) => (path.startsWith(`${task.cwd}/`) ? path.slice(task.cwd.length + 1) : path))
    .join(', ')

function diffSize(diff: string): string {
  const count = (sign: RegExp) => diff.split('\n').filter((line) => sign.test(line)).length
  return `+${count(/^\+(?!\+\+ )/)} −${count(/^-(?!-- )/)}`
}

/** By which standing approval a run went on without asking. */
export function standingLine(run: RunView): string[] {
  const { standing } = run.tasks.find((task) => task.standing !== null) ?? {}
  return standing
    ? [`allowed by the standing approval of ${escapeHtml(reveal(standing.by))} until ${time(standing.until)}`]
    : []
}

/** How a lockdown ends: no tap does it. In HTML. */
export const LIFT = '<code>npm run skynet -- lockdown --lift</code> on the machine'
