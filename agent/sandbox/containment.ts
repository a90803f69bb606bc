import { type ChildProcess, spawn, spawnSync } from 'node:child_process'
import { delimiter } from 'node:path'
import type { Readable } from 'node:stream'
import type { Containment } from '../../core/protocol/frames.ts'
import { findProgram } from './environment.ts'

/** How attempts are held on this machine, and what is kept out of their sight. */
export type Sandbox = {
  kind: Containment
  /** Arguments before the command; the first is the program. */
  prefix: string[]
}

/** A contained command: its outermost process, and the host's id of its namespace's init once it is known. */
export type Contained = { child: ChildProcess; sandbox: Sandbox; init: Promise<number | null> }

export type Command = {
  file: string
  args: string[]
  cwd: string
  env: Record<string, string>
  stdio: (number | 'ignore' | 'pipe')[]
}

/** An init that waits for the command and reaps what is left to it; what it says of signals is not output. */
const shellInit = ['sh', '-c', 'exec 3>&2 2>/dev/null; ("$@" 2>&3 3>&-); exit $?', 'init']

const candidates = (hidden: string): Sandbox[] => [
  {
    kind: 'bwrap',
    prefix: [
      'bwrap',
      '--dev-bind',
      '/',
      '/',
      '--proc',
      '/proc',
      '--tmpfs',
      hidden,
      '--unshare-pid',
      '--die-with-parent',
    ],
  },
  ...[['--mount-proc'], [], ['--user', '--map-current-user', '--mount-proc']].map(
    (more): Sandbox => ({
      kind: 'unshare',
      prefix: [
        'setpriv',
        '--pdeathsig',
        'KILL',
        'unshare',
        '--pid',
        '--kill-child',
        '--fork',
        ...more,
        '--',
        ...shellInit,
      ],
    }),
  ),
]

/**
 * The strongest containment that works here, tried by running it: bwrap, else setpriv and unshare, else process
 * groups. `hidden` is the data directory that commands must not see (with bwrap only).
 */
export function probeSandbox(hidden: string, path: string): Sandbox {
  const places = path.split(delimiter)
  const works = ({ prefix: [file = '', ...args] }: Sandbox) =>
    spawnSync(file, [...args, 'sh', '-c', 'exit 7'], { stdio: 'ignore', timeout: 5000 }).status === 7
  const here = candidates(hidden).flatMap((sandbox) => located(sandbox, places))
  return here.find(works) ?? { kind: 'group', prefix: [] }
}

/** The same with the full path of its program; none when that is not there. */
function located({ kind, prefix: [file = '', ...args] }: Sandbox, places: string[]): Sandbox[] {
  const program = findProgram(file, places)
  return program ? [{ kind, prefix: [program, ...args] }] : []
}

/** Starts a command contained, as leader of a process group of its own, without a terminal. */
export function spawnContained(sandbox: Sandbox, command: Command): Contained {
  const status = sandbox.kind === 'bwrap'
  const own = status
    ? [...sandbox.prefix, '--json-status-fd', '3', '--', command.file]
    : [...sandbox.prefix, command.file]
  const [file = '', ...args] = [...own, ...command.args]
  const stdio = status ? [...command.stdio, 'pipe' as const] : command.stdio
  const child = spawn(file, args, { cwd: command.cwd, env: command.env, stdio, detached: true })
  const report = status ? child.stdio[3] : null
  return { child, sandbox, init: report ? initOf(report as Readable) : Promise.resolve(null) }
}

/** The id of bwrap's init, from its status report; null when it never came to have one. */
function initOf(report: Readable): Promise<number | null> {
  return new Promise((resolve) => {
    let text = ''
    report.on('data', (chunk: Buffer) => {
      text += chunk.toString('utf8')
      const pid = /"child-pid": (\d+)/.exec(text)?.[1]
      if (pid) resolve(Number(pid))
    })
    report.on('error', () => resolve(null))
    report.on('close', () => resolve(null))
  })
}
