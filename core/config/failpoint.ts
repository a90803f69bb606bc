import { writeSync } from 'node:fs'

/**
 * Where a process is to die, for the fault tests (docs/faults.md): SKYNET_FAILPOINT=`task.claimed:after` kills it, as
 * kill -9 does, the first time it comes to that point; `task.claimed:after@3` the third time. Without the variable,
 * which no setting of SKYNET's stands behind, a failpoint does nothing.
 */
const [wanted = '', times = '1'] = (process.env.SKYNET_FAILPOINT ?? '').split('@')
let left = Number(times)

/** The process comes to a named point: `what:before`, `what:after`, or `what:committed`. */
export const failpoint: (name: string) => void = wanted === '' ? () => {} : dieAtWanted

function dieAtWanted(name: string): void {
  if (name !== wanted || --left > 0) return
  writeSync(2, `failpoint ${name}\n`)
  process.kill(process.pid, 'SIGKILL')
}
