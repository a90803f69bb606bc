import { mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { delimiter, join } from 'node:path'
import { shownAs } from '../sandbox/containment.ts'
import { findProgram } from '../sandbox/environment.ts'
import { type Action, ActionFault } from './run.ts'
import { runCommand } from './runCommand.ts'

const endings = { sh: 'sh', bash: 'sh', python3: 'py', node: 'js', perl: 'pl', ruby: 'rb' } as const

/** The body goes over a file of its own that only the user can read, and that is gone afterwards. */
export const script: Action<'script'> = async (run, { interpreter, body, args = [] }) => {
  if (!findProgram(interpreter, (run.env.PATH ?? '').split(delimiter)))
    throw new ActionFault(`${interpreter} is not on this machine's PATH`)
  const dir = mkdtempSync(join(tmpdir(), 'skynet-script-'))
  try {
    const file = join(dir, `script.${endings[interpreter]}`)
    writeFileSync(file, body, { mode: 0o600 })
    const at = shownAs(run.sandbox, file, `script.${endings[interpreter]}`)
    return await runCommand(run, interpreter, [at, ...args], [{ from: file, at }])
  } finally {
    rmSync(dir, { recursive: true, force: true })
  }
}
