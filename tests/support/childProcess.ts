import { spawn } from 'node:child_process'
import { once } from 'node:events'
import { join } from 'node:path'
import type { Part } from './workerProcess.ts'

/** A part of the control plane in a process of its own, which may be killed the hard way. */
export async function startProcess(part: Part): Promise<{ kill(): Promise<void> }> {
  const child = spawn(
    process.execPath,
    ['--disable-warning=ExperimentalWarning', join(import.meta.dirname, 'workerProcess.ts')],
    {
      env: {
        PATH: process.env.PATH,
        PART: JSON.stringify(part),
        ...(process.env.TEST_LOG ? { TEST_LOG: process.env.TEST_LOG } : {}),
      },
      stdio: ['pipe', 'pipe', 'inherit'],
    },
  )
  const gone = once(child, 'exit')
  await Promise.race([
    once(child.stdout, 'data'),
    gone.then(() => Promise.reject(new Error('the process ended before it was ready'))),
  ])
  return {
    kill: async () => {
      child.kill('SIGKILL')
      await gone
    },
  }
}
