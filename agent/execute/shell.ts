import { accessSync, constants, statSync } from 'node:fs'
import { delimiter, resolve } from 'node:path'
import { argvFits } from '../../core/protocol/plainArgv.ts'
import { findProgram } from '../sandbox/environment.ts'
import { type Action, ActionFault, type Run } from './run.ts'
import { runCommand } from './runCommand.ts'

/**
 * Program and arguments, as they were judged, are started as they are; any other command is text for `sh`. A program
 * that is not there is left to `sh` as well, which says so as people know it.
 */
export const shell: Action<'shell'> = (run, { command, argv }) => {
  if (!argvFits(command, argv)) throw new ActionFault('the program it names is not the one of its command')
  const [program, ...args] = argv ?? []
  return program !== undefined && isThere(run, program)
    ? runCommand(run, program, args)
    : runCommand(run, 'sh', ['-c', command])
}

function isThere(run: Run, program: string): boolean {
  if (!program.includes('/')) return findProgram(program, (run.env.PATH ?? '').split(delimiter)) !== null
  try {
    const file = resolve(run.cwd, program)
    accessSync(file, constants.X_OK)
    return statSync(file).isFile()
  } catch {
    return false
  }
}
