import { type ChildProcess, spawn, spawnSync } from 'node:child_process'
import { delimiter } from 'node:path'
import type { Readable } from 'node:stream'
import { findProgram } from './environment.ts'
import { type Confinement, closeFilter, givenAs, type WallOptions, Walls } from './walls.ts'

/** How attempts are held on this machine: `walls` confine what they see and reach; a `prefix` only holds processes. */
export type Sandbox = { kind: 'bwrap'; walls: Walls } | { kind: 'unshare' | 'group'; prefix: string[] }

/** A contained command: its outermost process, and the host's id of its namespace's init once it is known. */
export type Contained = {
  child: ChildProcess
  sandbox: Sandbox
  init: Promise<number | null>
  /** To be called when nothing of it is left. */
  left(): void
}

export type Command = {
  file: string
  args: string[]
  env: Record<string, string>
  stdio: (number | 'ignore' | 'pipe')[]
  confinement: Confinement
}

/** An init that waits for the command and reaps what is left to it; what it says of signals is not output. */
const shellInit = ['sh', '-c', 'exec 3>&2 2>/dev/null; ("$@" 2>&3 3>&-); exit $?', 'init']

const holders = [['--mount-proc'], [], ['--user', '--map-current-user', '--mount-proc']].map((more) => [
  ...['setpriv', '--pdeathsig', 'KILL', 'unshare', '--pid', '--kill-child', '--fork'],
  ...more,
  '--',
  ...shellInit,
])

/**
 * The strongest containment that works here, tried by running it in one of the roots: bwrap with all its walls, else
 * setpriv and unshare, else process groups.
 */
export function probeSandbox(options: Omit<WallOptions, 'program'>, path: string): Sandbox {
  const places = path.split(delimiter)
  const program = findProgram('bwrap', places)
  const confined = program ? tryWalls({ ...options, program }) : null
  if (confined) return confined
  const prefixes = holders.flatMap(([file = '', ...args]) => {
    const found = findProgram(file, places)
    return found ? [[found, ...args]] : []
  })
  const prefix = prefixes.find(works)
  return prefix ? { kind: 'unshare', prefix } : { kind: 'group', prefix: [] }
}

const works = ([file = '', ...args]: string[]): boolean =>
  spawnSync(file, [...args, 'sh', '-c', 'exit 7'], { stdio: 'ignore', timeout: 5000 }).status === 7

/** Both with the network and without it; null when either does not work. */
function tryWalls(options: WallOptions): Sandbox | null {
  const walls = new Walls(options)
  const cwd = options.machine().roots[0] ?? '/'
  const good = [true, false].every((network) => {
    const entrance = walls.enter({ runId: 'probe', cwd, writable: [cwd], network, given: [] })
    const tried = spawnSync(walls.program, [...entrance.args, 'sh', '-c', 'exit 7'], {
      stdio: ['ignore', 'ignore', 'ignore', 'pipe', entrance.filter ?? 'ignore'],
      timeout: 5000,
    })
    closeFilter(entrance)
    walls.left()
    return tried.status === 7
  })
  return good ? { kind: 'bwrap', walls } : null
}

/** The name that a file which a command is given has for it. */
export const shownAs = (sandbox: Sandbox, path: string, name: string): string =>
  sandbox.kind === 'bwrap' ? givenAs(name) : path

/** Starts a command contained, as leader of a process group of its own, without a terminal. */
export function spawnContained(sandbox: Sandbox, command: Command): Contained {
  return sandbox.kind === 'bwrap' ? spawnConfined(sandbox, command) : spawnHeld(sandbox, command)
}

function spawnHeld(
  sandbox: Extract<Sandbox, { prefix: string[] }>,
  { file, args, env, stdio, confinement }: Command,
): Contained {
  const [program = '', ...words] = [...sandbox.prefix, file, ...args]
  const child = spawn(program, words, { cwd: confinement.cwd, env, stdio, detached: true })
  return { child, sandbox, init: Promise.resolve(null), left: () => {} }
}

function spawnConfined(
  sandbox: Extract<Sandbox, { kind: 'bwrap' }>,
  { file, args, env, stdio, confinement }: Command,
): Contained {
  const { walls } = sandbox
  const entrance = walls.enter(confinement)
  try {
    const child = spawn(walls.program, [...entrance.args, file, ...args], {
      cwd: '/',
      env: { ...env, ...entrance.env },
      stdio: [...stdio, 'pipe', entrance.filter ?? 'ignore'],
      detached: true,
    })
    return { child, sandbox, init: initOf(child.stdio[3] as Readable), left: () => walls.left() }
  } finally {
    closeFilter(entrance)
  }
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
