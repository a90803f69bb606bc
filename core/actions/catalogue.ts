import type { ActionName } from '../protocol/actions.ts'
import { canonicalPath } from '../protocol/canonicalPath.ts'
import type { AgentFacts } from '../protocol/frames.ts'
import type { TaskSpec } from '../protocol/specs.ts'

export type Effect = 'read' | 'write'

/**
 * What the control plane knows of each action besides its parameters (core/protocol/actions.ts). `read`: never
 * changes anything and may be repeated by itself. `by_verdict`: as the policy understood the command.
 */
export const catalogue = {
  shell: { effect: 'by_verdict', label: 'command' },
  script: { effect: 'write', label: 'script' },
  file_read: { effect: 'read', label: 'read file' },
  file_write: { effect: 'write', label: 'write file' },
  file_patch: { effect: 'write', label: 'patch' },
  file_list: { effect: 'read', label: 'list files' },
  git_init: { effect: 'write', label: 'git init' },
  git_status: { effect: 'read', label: 'git status' },
  git_diff: { effect: 'read', label: 'git diff' },
  git_commit: { effect: 'write', label: 'git commit' },
  run_tests: { effect: 'write', label: 'run tests' },
  noop: { effect: 'read', label: 'nothing' },
} as const satisfies Record<ActionName, { effect: Effect | 'by_verdict'; label: string }>

/** The effect of a task: a command counts as `read` only when policy understood all of it and found no risk. */
export function effectOf(action: ActionName, verdict: { verdict: string; risk: string }): Effect {
  const { effect } = catalogue[action]
  if (effect !== 'by_verdict') return effect
  return verdict.verdict === 'allow' && verdict.risk === 'low' ? 'read' : 'write'
}

/**
 * The paths a task owns while it runs, in canonical form: none when it only reads, its directory when it names none.
 * `machine`: what is known of the machine it is on.
 */
export function ownedFiles(
  spec: Pick<TaskSpec, 'required_files' | 'cwd'>,
  effect: Effect,
  machine: Pick<AgentFacts, 'platform' | 'home' | 'links'>,
): string[] {
  if (effect === 'read') return []
  const named = spec.required_files.length > 0 ? spec.required_files : [spec.cwd]
  const place = { cwd: spec.cwd, platform: machine.platform, home: machine.home, links: machine.links }
  return [...new Set(named.map((path) => canonicalPath(path, place)))]
}
