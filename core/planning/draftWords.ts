import { clip } from './clip.ts'
import { parsePartial } from './parsePartial.ts'

/** Steps that are told of a draft, and characters of all of it: escaped, it still fits the wire of the bus. */
const MAX_STEPS = 8
const MAX_TEXT = 1000

type Loose = { [field: string]: unknown }
const isObject = (value: unknown): value is Loose => typeof value === 'object' && value !== null
const wordsOf = (value: unknown, max: number): string => (typeof value === 'string' ? clip(value, max) : '')

/**
 * A model's answer as far as it has come, for the person who waits: what will be done and the steps so far. Plain text,
 * nothing of it checked; empty while there is nothing to say. Pure.
 */
export function draftWords(soFar: string): string {
  const draft = parsePartial(soFar)
  if (!isObject(draft)) return ''
  const tasks = Array.isArray(draft.tasks) ? draft.tasks.filter(isObject) : []
  const steps = tasks.slice(0, MAX_STEPS).map((task, i) => stepWords(task, i + 1))
  const more = tasks.length > MAX_STEPS ? [`and ${tasks.length - MAX_STEPS} more`] : []
  return [wordsOf(draft.summary, 80), ...steps, ...more].filter(Boolean).join('\n').slice(0, MAX_TEXT)
}

function stepWords(task: Loose, number: number): string {
  const title = wordsOf(task.title, 40)
  const call = isObject(task.call) ? task.call : {}
  const command = wordsOf(call.command ?? call.path, 60)
  const said = [title, command === title ? '' : command].filter(Boolean).join(': ')
  return said === '' ? '' : `${number} ${said}`
}
