import type { ActionName } from '../protocol/actions.ts'
import { testSummary } from '../runs/testSummary.ts'

/** A task that ended with a result: what it was and the end of what it printed. */
export type EndedTask = { action: ActionName; status: string; command: string | null; summary: string }

/** How the tests of a place ended last, and the end of what they printed. */
export type LastTests = { failed: boolean; said: string }

const isTests = ({ action, command, summary }: EndedTask): boolean =>
  action === 'run_tests' || (/test|\bnpm t\b/.test(command ?? '') && testSummary(summary) !== null)

/**
 * How the tests ended, of tasks with the newest first. Null when they were not run, or not since the last patch: then
 * nobody knows. Pure.
 */
export function lastTests(newestFirst: readonly EndedTask[]): LastTests | null {
  const last = newestFirst.find(
    (task) => isTests(task) || (task.action === 'file_patch' && task.status === 'succeeded'),
  )
  if (!last || !isTests(last)) return null
  const failed = last.status !== 'succeeded' || / fail$/.test(testSummary(last.summary) ?? '')
  return { failed, said: last.summary }
}
