import { writeSync } from 'node:fs'

/**
 * Where a process is to die, for the fault tests (docs/faults.md): SKYNET_FAILPOINT=`task.claimed:after` kills it, as
 * kill -9 does, the first time it comes to that point; `task.claimed:after@3` the third time. Of several, parted by
 * commas, it dies at the one that it comes to first. Without the variable, which no setting of SKYNET's stands behind,
 * a failpoint does nothing.
 */
const left = new Map<string, number>()
for (const wanted of (process.env.SKYNET_FAILPOINT ?? '').split(',')) {
  const [name = '', times = '1'] = wanted.split('@')
  if (name !== '') left.set(name, Number(times))
}

/** The process comes to a named point: `what:before`, `what:after`, or `what:committed`. */
export const failpoint: (name: string) => void = left.size === 0 ? () => {} : dieAtWanted

function dieAtWanted(name: string): void {
  const times = left.get(name)
  if (times === undefined) return
  left.set(name, times - 1)
  if (times > 1) return
  writeSync(2, `failpoint ${name}\n`)
  process.kill(process.pid, 'SIGKILL')
}
