import { matchOne } from '../planning/matchPlaybook.ts'
import type { Playbook } from '../planning/playbook.ts'
import { tidyRequest } from '../planning/tidyRequest.ts'
import type { FailureClass } from './classify.ts'

/** A request that may remove the cause of a failure, or show it. */
export type Fix = { title: string; request: string }

type Failed = {
  status: string
  /** Kinds of its failures, as its steps of recovery name them. */
  failures: readonly FailureClass[]
  /** What the failed steps printed last. */
  said: string
}

const byClass: Partial<Record<FailureClass, Fix>> = {
  missing_packages: { title: 'Install the dependencies', request: 'install the dependencies' },
  memory: { title: 'Look at memory and load', request: 'show memory usage' },
  space: { title: 'What takes the space?', request: 'what takes up space' },
}

/** Of the text only digits are used: who prints it chooses among requests that are written here. */
const portInUse = /(?:EADDRINUSE|address already in use)[^\n]{0,200}?:(\d{2,5})\b/i

/**
 * What the playbooks that are there can do about a failed run, by rules alone; at most two. Each is judged and asked
 * about like any request once somebody taps it. Pure.
 */
export function suggestFixes(playbooks: readonly Playbook[], run: Failed): Fix[] {
  if (run.status !== 'failed') return []
  const port = portInUse.exec(run.said)?.[1]
  const fixes = [
    ...(port ? [{ title: `Who uses port ${port}?`, request: `who uses port ${port}` }] : []),
    ...run.failures.flatMap((failure) => byClass[failure] ?? []),
  ]
  const known = fixes.filter(({ request }) =>
    playbooks.some((one) => matchOne(one, tidyRequest(request)) !== null),
  )
  return [...new Map(known.map((fix) => [fix.request, fix])).values()].slice(0, 2)
}
