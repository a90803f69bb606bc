import { homedir } from 'node:os'
import { relative } from 'node:path'
import type { ExecutionSpec } from '../../core/protocol/specs.ts'
import { isWithin } from './roots.ts'

type Named = Pick<ExecutionSpec, 'cwd' | 'required_files' | 'owns' | 'params'>

/**
 * The roots that an attempt may write to: those of its directory and of the files it was approved with, and those that
 * its text names. The others it can read. Pure.
 */
export function writableRoots(
  roots: readonly string[],
  { cwd, required_files, owns = [], params }: Named,
): string[] {
  const paths = [cwd, ...required_files, ...owns]
  const text = JSON.stringify(params)
  const names = (root: string): string[] => [root, `~/${relative(homedir(), root)}`]
  return roots.filter(
    (root) => paths.some((path) => isWithin(root, path)) || names(root).some((name) => text.includes(name)),
  )
}
