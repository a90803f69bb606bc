import { messageOf } from '../../core/config/logger.ts'
import type { ActionCall, ActionName } from '../../core/protocol/actions.ts'
import { fileList } from './fileList.ts'
import { filePatch } from './filePatch.ts'
import { fileRead } from './fileRead.ts'
import { fileWrite } from './fileWrite.ts'
import { gitCommit, gitDiff, gitInit, gitStatus } from './git.ts'
import { noop } from './noop.ts'
import type { Action, Ended, Run } from './run.ts'
import { runTests } from './runTests.ts'
import { script } from './script.ts'
import { shell } from './shell.ts'

/** How a held directory is called in what the system says. */
const handle = /\/proc\/self\/fd\/\d+\//g

/** How each action of the catalogue is done. */
const actions: { [A in ActionName]: Action<A> } = {
  shell,
  script,
  file_read: fileRead,
  file_write: fileWrite,
  file_patch: filePatch,
  file_list: fileList,
  git_init: gitInit,
  git_status: gitStatus,
  git_diff: gitDiff,
  git_commit: gitCommit,
  run_tests: runTests,
  noop,
}

/** Does one action. Never rejects: whatever goes wrong is its error. */
export async function doAction<A extends ActionName>(
  run: Run,
  call: Extract<ActionCall, { action: A }>,
): Promise<Ended> {
  try {
    return await (actions[call.action] as Action<ActionName>)(run, call.params)
  } catch (error) {
    return { exitCode: null, signal: null, error: messageOf(error).replaceAll(handle, '') }
  }
}
