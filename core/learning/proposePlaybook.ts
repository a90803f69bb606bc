import { isDeepStrictEqual } from 'node:util'
import { stringify } from 'yaml'
import { clip } from '../planning/clip.ts'
import { renderParams } from '../planning/fillPlaybook.ts'
import { PlaybookError, readPlaybook } from '../planning/loadPlaybooks.ts'
import { matchOne } from '../planning/matchPlaybook.ts'
import { type Parameter, type Playbook, programFields } from '../planning/playbook.ts'
import { placeholders } from '../planning/renderTemplate.ts'
import { tidyRequest } from '../planning/tidyRequest.ts'
import { wordsOf } from '../planning/words.ts'
import type { PlanSpec, PlanTask, TaskAbout } from '../protocol/specs.ts'
import { fillInCommand, fillInText, meaningOf, type Slot, standsIn } from './fillIn.ts'
import { type Token, tokensOf, type Value, valuesOf } from './findValues.ts'
import { saysTooLittle, writeTrigger } from './writeTrigger.ts'

/** A run that went well, as far as a playbook is made of it. */
export type GoodRun = {
  number: number
  request: string
  plan: PlanSpec
  /** Name of the repository it worked in; null: in none. */
  repository: string | null
}

/** What a request's word became: `branch`, which was `release/2.1`. */
export type Recognised = { name: string; was: string; type: Parameter['type'] }
export type Proposal =
  | { kind: 'proposed'; name: string; yaml: string; parameters: Recognised[] }
  /** One line that says why none can be made of it. */
  | { kind: 'cannot'; reason: string }

/** The name that a learned playbook's text is read with; its own is kept beside the text. */
const PLACEHOLDER_NAME = 'learned'

/** A learned playbook from its text. Throws PlaybookError. Pure. */
export const readLearned = (name: string, text: string, origins: readonly string[]): Playbook => ({
  ...readPlaybook('learned playbook', `name: ${name}\n${text}`, false),
  learned: { origins },
})

/** A parameter of a task with its values as placeholders; `undefined` where a value stands where none may. */
function fillInParam(action: string, field: string, value: unknown, slots: readonly Slot[]): unknown {
  if (Array.isArray(value)) {
    const items = value.map((item) => fillInParam(action, field, item, slots))
    return items.includes(undefined) ? undefined : items
  }
  if (typeof value === 'number') {
    const slot = slots.find(({ text }) => text === String(value))
    return slot ? `{{${slot.name}}}` : value
  }
  if (typeof value !== 'string') return value
  const isProgram = programFields.some((program) => program === `${action}.${field}`)
  const filled = isProgram
    ? value
    : action === 'shell'
      ? fillInCommand(value, slots)
      : fillInText(value, slots)
  return filled === null || standsIn(withoutPlaceholders(filled), slots) ? undefined : filled
}

const withoutPlaceholders = (text: string): string => text.replace(/\{\{\w+\}\}/g, '\u0000')

const relativeTo = (cwd: string, file: string): string =>
  file === cwd ? '.' : file.startsWith(`${cwd}/`) ? file.slice(cwd.length + 1) : file

const fillInAbout = (about: TaskAbout, slots: readonly Slot[]): Record<string, string> =>
  Object.fromEntries(
    Object.entries(about).flatMap(([field, text]) =>
      text === undefined ? [] : [[field, clip(fillInText(text, slots), 400)]],
    ),
  )

type Filled = { task: Record<string, unknown>; params: Record<string, unknown> }

function fillInTask(task: PlanTask, slots: readonly Slot[]): Filled | null {
  const { spec } = task
  const { argv: _, ...own } = spec.params
  const entries = Object.entries(own).map(
    ([field, value]) => [field, fillInParam(spec.action, field, value, slots)] as const,
  )
  if (entries.some(([, value]) => value === undefined)) return null
  const params = Object.fromEntries(entries)
  const rest = {
    key: task.key,
    title: fillInText(task.title, slots),
    action: spec.action,
    params,
    ...(task.depends_on.length > 0 ? { depends_on: task.depends_on } : {}),
    ...(task.milestone ? { milestone: task.milestone } : {}),
    ...(task.about ? { about: fillInAbout(task.about, slots) } : {}),
    timeout_s: spec.timeout_s,
    ...(spec.network ? { network: true } : {}),
    ...(spec.secrets ? { secrets: spec.secrets } : {}),
    required_files: spec.required_files.map((path) => fillInText(relativeTo(spec.cwd, path), slots)),
  }
  return { task: rest, params }
}

function write(run: GoodRun, tokens: readonly Token[], values: readonly Value[]): string | null {
  const slots = values.map(({ text, name }) => ({ text, name }))
  const tasks = run.plan.tasks.map((task) => fillInTask(task, slots))
  if (tasks.some((task) => task === null)) return null
  const used = new Set(tasks.flatMap((task) => placeholders(JSON.stringify(task?.params))))
  if (values.some(({ name }) => !used.has(name))) return null
  const { summary, milestones } = run.plan
  return stringify(
    {
      title: clip(summary, 60),
      description: clip(`Learned from #${run.number}: ${run.request}`, 300),
      triggers: [writeTrigger(tokens, values)],
      ...(values.length > 0
        ? { parameters: Object.fromEntries(values.map(({ name, parameter }) => [name, parameter])) }
        : {}),
      ...(run.repository ? { only: { repository: run.repository } } : {}),
      summary: fillInText(summary, slots),
      ...(milestones.length > 0
        ? { milestones: milestones.map(({ key, title }) => ({ key, title: clip(title, 60) })) }
        : {}),
      tasks: tasks.map((task) => task?.task),
      examples: { match: [run.request] },
    },
    { lineWidth: 0 },
  )
}

/** Whether a playbook makes of the request that it was learned from just what was done then. */
function givesTheSame(playbook: Playbook, run: GoodRun): boolean {
  const match = matchOne(playbook, tidyRequest(run.request))
  return (
    match !== null &&
    playbook.tasks.every((task, i) => {
      const { argv: _, ...params } = run.plan.tasks[i]?.spec.params ?? {}
      return isDeepStrictEqual(comparable(renderParams(task, match.values)), comparable(params))
    })
  )
}

/** Quotes that mean the same are the same. */
const comparable = (params: Record<string, unknown>): unknown =>
  typeof params.command === 'string' ? { ...params, command: meaningOf(params.command) } : params

/** The playbook of these values, or why it cannot be. */
function attempt(
  run: GoodRun,
  tokens: readonly Token[],
  values: readonly Value[],
): { yaml: string } | { fault: string } {
  const yaml = write(run, tokens, values)
  if (yaml === null) return { fault: 'a value of the request stands where a playbook takes none' }
  try {
    const playbook = readLearned(PLACEHOLDER_NAME, yaml, [])
    return givesTheSame(playbook, run) ? { yaml } : { fault: 'it would not do the same again' }
  } catch (error) {
    if (error instanceof PlaybookError) return { fault: error.message.replace(/^learned playbook: /, '') }
    throw error
  }
}

const named = (values: readonly Value[], value: Value): Value => {
  const taken = (name: string) => values.some((other) => other.name === name) || reserved.has(name)
  const free = (n: number): string => (taken(`${value.name}_${n}`) ? free(n + 1) : `${value.name}_${n}`)
  return { ...value, name: taken(value.name) ? free(2) : value.name }
}
/** More are hard to read, and slow to match. */
const MAX_PARAMETERS = 8
const reserved = new Set(['tool', 'repository', 'machine', 'cwd'])

const overlaps = (a: Value, b: Value): boolean => a.first <= b.last && b.first <= a.last

/** A name of a few words of the request: `deploy-site`. */
function nameFor(run: GoodRun, values: readonly Value[]): string {
  const said = new Set(values.map(({ text }) => text.toLowerCase()))
  const words = wordsOf(run.request)
    .map(({ text }) => text.toLowerCase())
    .filter((word) => /^[a-z][a-z0-9]*$/.test(word) && !said.has(word))
  return words.slice(0, 4).join('-').slice(0, 48).replace(/-$/, '') || `run-${run.number}`
}

function unfit(run: GoodRun): string | null {
  const { tasks } = run.plan
  const places = new Set(tasks.map(({ spec }) => `${spec.agent_id} ${spec.cwd}`))
  if (places.size > 1) return 'Its steps work in several places, and a playbook works in one.'
  if (tasks.length > 20) return 'It has more than 20 steps.'
  if (placeholders(JSON.stringify(tasks)).length > 0)
    return 'Its steps have {{words in double braces}}, which are parameters in a playbook.'
  if (tidyRequest(run.request).length > 400)
    return 'The request is too long for a playbook to understand it again.'
  return null
}

/**
 * A playbook of a run that went well: what of the request stands in its steps becomes a parameter, one after the other, as
 * long as the playbook is sound and gives the same steps for the same request. Pure.
 */
export function proposePlaybook(run: GoodRun): Proposal {
  const reason = unfit(run)
  if (reason) return { kind: 'cannot', reason }
  const tokens = tokensOf(run.request)
  let best = attempt(run, tokens, [])
  let kept: Value[] = []
  for (const found of valuesOf(tokens)) {
    if (kept.length >= MAX_PARAMETERS || kept.some((other) => overlaps(other, found))) continue
    const value = named(kept, found)
    const tried = attempt(run, tokens, [...kept, value])
    if ('fault' in tried) continue
    best = tried
    kept = [...kept, value]
  }
  if ('fault' in best) return { kind: 'cannot', reason: `No playbook can be made of it: ${best.fault}.` }
  if (saysTooLittle(tokens, kept))
    return { kind: 'cannot', reason: 'The request has no words by which it could be known again.' }
  return {
    kind: 'proposed',
    name: nameFor(run, kept),
    yaml: best.yaml,
    parameters: kept.map(({ name, text, parameter }) => ({ name, was: text, type: parameter.type })),
  }
}
