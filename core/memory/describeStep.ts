import type { TaskSpec } from '../protocol/specs.ts'

const text = (value: unknown): string => (typeof value === 'string' ? value : '')

/** The files that a unified diff is about. Pure. */
const patched = (patch: string): string =>
  [...patch.matchAll(/^\+\+\+ (?:b\/)?(\S+)/gm)]
    .map(([, path]) => path)
    .slice(0, 5)
    .join(' ')

/** What a step does, in one line, without what it writes: its command, or its action and what it is about. Pure. */
export function describeStep({ action, params }: Pick<TaskSpec, 'action' | 'params'>): string {
  const given = (params ?? {}) as Record<string, unknown>
  switch (action) {
    case 'shell':
      return text(given.command)
    case 'script':
      return `${text(given.interpreter)} script`
    case 'run_tests':
      return `run_tests ${text(given.tool)}`
    case 'file_patch':
      return `file_patch ${patched(text(given.patch))}`.trimEnd()
    case 'git_commit':
      return `git_commit ${text(given.message)}`
    default:
      return `${action} ${text(given.path) || text(given.ref)}`.trimEnd()
  }
}
