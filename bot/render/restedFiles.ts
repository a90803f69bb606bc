import type { PlanFile, PlanFiles } from '../../core/planning/planFiles.ts'
import { clip } from './html.ts'
import { lineDifference } from './lineDifference.ts'
import { unmask } from './unmask.ts'

const MAX_LINE = 160

/** The files an approval rests on, for its Details: hash, size and, where it is small and plain, the text. Pure. */
export function fileTexts({ now }: PlanFiles): string[] {
  if (now.length === 0) return []
  return ['what it rests on, as it is now:', '', ...now.flatMap(fileText)]
}

function fileText(file: PlanFile): string[] {
  const head = [unmask(file.path), `  sha256 ${file.sha256} · ${file.size} bytes`]
  if (file.text === undefined) return [...head, '  not shown: large, no text, or secret by its name', '']
  const note = file.whole ? [] : ['  parts are hidden (secrets) or left out; the hash is of all of it']
  const lines = unmask(file.text, 'command').replace(/\n$/, '').split('\n')
  return [...head, ...note, ...lines.map((line) => `  | ${line}`), '']
}

/** What changed in files that both versions of a plan rest on, line by line. Pure. */
export function fileDifference({ now, before }: PlanFiles): string[] {
  return now.flatMap((file) => {
    const old = before.find(({ agent_id, path }) => agent_id === file.agent_id && path === file.path)
    if (!old || old.sha256 === file.sha256) return []
    const name = unmask(file.path.slice(file.path.lastIndexOf('/') + 1))
    const lines = old.text !== undefined && file.text !== undefined ? lineDifference(old.text, file.text) : []
    const shown = lines.map((line) => clip(unmask(line, 'command'), MAX_LINE))
    return [`≠ ${name}${shown.length === 0 ? ' has changed' : ''}`, ...shown]
  })
}
