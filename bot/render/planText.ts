import { memoryName } from '../../core/memory/memory.ts'
import { noFiles, type PlanFiles } from '../../core/planning/planFiles.ts'
import { originsOf } from '../../core/planning/untrusted.ts'
import type { ApprovalView, RunView, TaskView } from '../../core/runs/viewRun.ts'
import { maskLine, reachLines } from './cautionLines.ts'
import { escapeHtml } from './html.ts'
import { fileTexts } from './restedFiles.ts'
import { unmask } from './unmask.ts'
import { exactAction } from './words.ts'

/** What is longer, in characters or lines, is a document: it would push the card with its buttons off a phone's screen. */
const MAX_MESSAGE_TEXT = 3000
const MAX_MESSAGE_LINES = 60

/** A plan's text as one message, in HTML; null when it is too long for that. Pure. */
export function asMessage(text: string): string | null {
  const whole = text.trimEnd()
  return whole.length <= MAX_MESSAGE_TEXT && whole.split('\n').length <= MAX_MESSAGE_LINES
    ? `<pre>${escapeHtml(whole)}</pre>`
    : null
}

/** All of a plan, nothing cut: what `Details` shows, and the document that goes before a card that cannot show it. Pure. */
export function planText(run: RunView, approval: ApprovalView, files: PlanFiles = noFiles): string {
  const head = [
    `${approval.code} · run #${run.number} v${run.planVersion}`,
    `plan ${approval.planHash}`,
    unmask(`asked by ${run.personName ?? 'a program'}: ${run.request}`),
    ...maskLine(run),
    ...sourceLines(run),
    ...faultLines(run),
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

/** Why exactly planning, or a change of the plan, came to nothing. */
const faultLines = ({ error, changeFault }: RunView): string[] =>
  [error?.details, changeFault].flatMap((fault) => (fault ? [unmask(`the exact fault: ${fault}`)] : []))

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
