import type { PlanSpec, TaskAbout } from '../protocol/specs.ts'
import { clip } from './clip.ts'
import type { Match } from './matchPlaybook.ts'
import { unmetCondition } from './meetConditions.ts'
import type { PlaceFacts } from './placeFacts.ts'
import type { Playbook, PlaybookTask, Values } from './playbook.ts'
import { renderTemplate } from './renderTemplate.ts'
import { nameOf, resolvePath } from './resolvePath.ts'
import { writtenFiles } from './writtenFiles.ts'

/** What every template may name besides the parameters. */
export const factNames = ['tool', 'repository', 'machine', 'cwd'] as const

const factsOf = (place: PlaceFacts): Values => ({
  tool: place.repository?.test_tools[0] ?? 'auto',
  repository: place.repository?.name ?? nameOf(place.cwd),
  machine: place.agentName,
  cwd: place.cwd,
})

/** `{{lines}}` alone stays a number; a shell's command gets quoted words; all else is text. */
function renderParam(value: unknown, values: Values, kind: 'shell' | 'text'): unknown {
  if (Array.isArray(value)) return value.map((item) => renderParam(item, values, kind))
  if (typeof value !== 'string') return value
  const alone = /^\{\{\s*(\w+)\s*\}\}$/.exec(value)?.[1]
  const number = alone ? values[alone] : undefined
  return typeof number === 'number' && kind === 'text' ? number : renderTemplate(value, values, kind)
}

/** The parameters of a task with every placeholder filled in. Pure. */
export function renderParams(
  task: Pick<PlaybookTask, 'action' | 'params'>,
  values: Values,
): Record<string, unknown> {
  const kind = task.action === 'shell' ? 'shell' : 'text'
  return Object.fromEntries(
    Object.entries(task.params).map(([name, value]) => [name, renderParam(value, values, kind)]),
  )
}

/** Values as a person reads them: the place by its name, not as a dot. */
const shownValues = (values: Values, { parameters }: Playbook, { cwd }: PlaceFacts): Values =>
  Object.fromEntries(
    Object.entries(values).map(([name, value]) => [
      name,
      value === '.' && parameters[name]?.type === 'path' ? nameOf(cwd) : value,
    ]),
  )

/** What is said of a task, with its values. */
const renderAbout = (about: TaskAbout, values: Values): TaskAbout =>
  Object.fromEntries(
    Object.entries(about).map(([field, text]) => [
      field,
      text && clip(renderTemplate(text, values, 'text'), 400),
    ]),
  )

function filesOf(
  task: PlaybookTask,
  params: Record<string, unknown>,
  values: Values,
  place: PlaceFacts,
): string[] {
  if (!task.required_files) return writtenFiles({ action: task.action, params }, place)
  return task.required_files.map((file) => resolvePath(place, renderTemplate(file, values, 'text')))
}

/** The kept tasks, in order, with dependencies on tasks left out replaced by what those depended on. */
function keptTasks(tasks: readonly PlaybookTask[], keeps: (task: PlaybookTask) => boolean): PlaybookTask[] {
  const kept = new Set(tasks.filter(keeps).map((t) => t.key))
  const byKey = new Map(tasks.map((t) => [t.key, t]))
  const through = (key: string): string[] =>
    kept.has(key) ? [key] : (byKey.get(key)?.depends_on ?? []).flatMap(through)
  return tasks
    .filter((t) => kept.has(t.key))
    .map((t) => ({ ...t, depends_on: [...new Set(t.depends_on.flatMap(through))] }))
}

/**
 * The plan of a matched playbook at a place. Tasks that do not fit the place are left out; keys become 1, 2, ...
 * The result is a PlanSpec in form; the caller parses it. Pure.
 */
export function fillPlaybook(
  { playbook, values: read, given }: Match,
  place: PlaceFacts,
  version: number,
): PlanSpec {
  const values = { ...factsOf(place), ...read }
  const shown = shownValues(values, playbook, place)
  const tasks = keptTasks(playbook.tasks, (t) => !t.when || unmetCondition(t.when, place, given) === null)
  const number = new Map(tasks.map((t, i) => [t.key, String(i + 1)]))
  const used = new Set(tasks.map((t) => t.milestone))
  return {
    version,
    summary: clip(renderTemplate(playbook.summary, shown, 'text'), 60),
    milestones: playbook.milestones.filter((m) => used.has(m.key)),
    tasks: tasks.map((task) => {
      const params = renderParams(task, values)
      return {
        key: number.get(task.key) ?? task.key,
        title: clip(renderTemplate(task.title, shown, 'text'), 30),
        ...(task.milestone ? { milestone: task.milestone } : {}),
        depends_on: task.depends_on.map((key) => number.get(key) ?? key),
        ...(task.about ? { about: renderAbout(task.about, shown) } : {}),
        spec: {
          action: task.action,
          params,
          agent_id: place.agentId,
          machine_id: place.machineId,
          cwd: place.cwd,
          required_files: filesOf(task, params, values, place),
          timeout_s: task.timeout_s,
          network: task.network,
          ...(task.secrets ? { secrets: task.secrets } : {}),
        },
      }
    }),
  }
}
