import type { Action } from './run.ts'
import { runCommand } from './runCommand.ts'

export const shell: Action<'shell'> = (run, { command }) => runCommand(run, 'sh', ['-c', command])
