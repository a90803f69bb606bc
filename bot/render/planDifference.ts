import { noFiles, type PlanFiles } from '../../core/planning/planFiles.ts'
import type { RunView } from '../../core/runs/viewRun.ts'
import { clip } from './html.ts'
import { fileDifference } from './restedFiles.ts'
import { exactAction } from './words.ts'

/** Longest line shown of a difference; the plan itself stands below it, whole. */
const MAX_LINE = 160
const MAX_LINES = 24

type Step = { key: string; text: string }

/**
 * The lines of a plan that its revision took away (`-`) and brought (`+`), in the order of its steps, and those of the
 * files it rests on. Pure.
 */
export function planDifference(
  run: Pick<RunView, 'tasks' | 'replaced'>,
  files: PlanFiles = noFiles,
): string[] {
  if (!run.replaced) return []
  const old = run.replaced.map(
    ({ key, spec }): Step => ({
      key,
      text: exactAction({ action: spec.action, spec }),
    }),
  )
  const fresh = run.tasks.map(
    (task): Step => ({
      key: task.key,
      text: exactAction(task),
    }),
  )
  const isIn = (steps: Step[], step: Step) =>
    steps.some((other) => other.key === step.key && other.text === step.text)
  const keys = [...new Set([...old, ...fresh].map(({ key }) => key))]
  const lines = keys.flatMap((key) => [
    ...old.filter((step) => step.key === key && !isIn(fresh, step)).flatMap((step) => marked('-', step)),
    ...fresh.filter((step) => step.key === key && !isIn(old, step)).flatMap((step) => marked('+', step)),
  ])
  const all = [...lines, ...fileDifference(files)]
  return all.length > MAX_LINES ? [...all.slice(0, MAX_LINES), `… ${all.length - MAX_LINES} lines more`] : all
}

const marked = (mark: '-' | '+', { key, text }: Step): string[] =>
  text.split('\n').map((line, i) => clip(`${mark} ${i === 0 ? `${key} ` : '  '}${line}`, MAX_LINE))
