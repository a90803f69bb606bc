import { join } from 'node:path'
import type { ActionCall } from '../../core/protocol/actions.ts'
import type { ExecutionSpec } from '../../core/protocol/specs.ts'
import { offline } from './gitConfig.ts'
import { gitLook } from './gitLook.ts'
import { isWithin } from './roots.ts'

/** `covers`: files of settings that stand in for a repository's own while this command runs, with `env`. */
export type Covered =
  | { kind: 'covers'; covers: { from: string; at: string }[]; env: Record<string, string> }
  /** It would start programs, and nothing here can keep it from that. */
  | { kind: 'starts'; error: string }

type Looking = {
  cwd: string
  call: ActionCall
  /** None: it changes nothing, and nobody was asked. */
  owns: ExecutionSpec['owns']
  roots: readonly string[]
  confines: boolean
  agentDir: string
}

/**
 * What was let through as a look must not start what a repository's own settings name: where commands are confined they
 * see settings without it (`gitConfig.ts` says what stays), elsewhere the command is not started. What was asked about, or
 * changes something, sees the settings as they are.
 */
export async function coverGit({ cwd, call, owns, roots, confines, agentDir }: Looking): Promise<Covered> {
  if (!isLook(call, owns)) return { kind: 'covers', covers: [], env: {} }
  const { covers, starts, problems, limits } = await gitLook(cwd, call, join(agentDir, 'git'))
  const seen = covers.filter(({ at }) => roots.some((root) => isWithin(root, at)))
  const left = confines ? problems : [...starts, ...problems]
  if (left.length === 0) return { kind: 'covers', covers: seen, env: offline }
  const named = [...new Set(left)]
    .slice(0, 4)
    .join(', ')
    .replace(/[^\w., -]/g, '?')
  const why = left.every((one) => limits.includes(one))
    ? `there is more here than can be looked through before git is let look by itself (${named}); nothing is known to be wrong with it. Ask for it in a directory below, or`
    : `the repository's own settings would start programs for a look (${named}). To let them, ask for it`
  return { kind: 'starts', error: `${why} as \`git -p ...\`: that is asked about first.` }
}

const isLook = (call: ActionCall, owns: ExecutionSpec['owns']): boolean =>
  call.action === 'git_status' ||
  call.action === 'git_diff' ||
  (call.action === 'shell' && owns?.length === 0 && call.params.command.includes('git'))
