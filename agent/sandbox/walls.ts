import { closeSync, openSync, rmSync, writeFileSync } from 'node:fs'
import { arch } from 'node:os'
import { join } from 'node:path'
import type { Confined } from '../../core/protocol/frames.ts'
import { callFilter } from './callFilter.ts'
import { countsProcesses, type Limits, limitWords } from './limits.ts'
import { quietly, socketWords } from './localSockets.ts'
import { mountArgs } from './mounts.ts'
import { OwnPlaces } from './ownPlaces.ts'
import { isWithin } from './roots.ts'
import { type Machine, mountsFor, OWN, type Own, type View, viewOf } from './view.ts'

/** What is looked up of the machine at most this old, while nothing runs. */
const FRESH_MS = 5000
/** Ways in that are remembered. */
const MAX_KNOWN = 256

/** What one command is let do. */
export type Confinement = {
  runId: string
  /** Links resolved, inside the roots. */
  cwd: string
  /** The roots it may write to. */
  writable: readonly string[]
  network: boolean
  /** Files that it is given, and the names it finds them under, in `OWN`. */
  given: readonly { from: string; at: string }[]
}

/** How a confined command is started. */
export type Entrance = {
  args: string[]
  env: Record<string, string>
  /** The system calls it may make, to be handed over as descriptor 4 and closed then; null: no filter here. */
  filter: number | null
}

export type WallOptions = {
  /** The full path of bubblewrap. */
  program: string
  /** The agent's own directory. */
  agentDir: string
  limits: Limits
  /** Search path for what the walls themselves are made of. */
  places: string[]
  machine(): Machine
}

/** What stands around every confined command, and is the same for each: worked out once, and again when nothing runs. */
export class Walls {
  readonly program: string
  readonly places: OwnPlaces
  /** What holds here, for people. */
  readonly holds: Confined
  readonly #options: WallOptions
  readonly #filterFile: string | null
  readonly #limitWords: string[]
  readonly #socketWords: string[]
  readonly #known = new Map<string, string[]>()
  #view: View | null = null
  #lookedAt = 0
  #running = 0

  constructor(options: WallOptions) {
    this.program = options.program
    this.#options = options
    this.places = new OwnPlaces(options.agentDir)
    this.#filterFile = writeFilter(join(options.agentDir, 'calls.bpf'))
    this.#limitWords = limitWords(options.limits, options.places)
    this.#socketWords = socketWords(options.places)
    this.holds = {
      calls: this.#filterFile !== null,
      limits: this.#limitWords.length > 0,
      processes: this.#limitWords.length > 0 && countsProcesses(),
      sockets: this.#socketWords.length > 0,
    }
  }

  /** The way in for one command; `left` is to be called when the last of it is gone. */
  enter(confinement: Confinement): Entrance {
    const view = this.#look()
    const { cwd, runId, writable, network, given } = confinement
    const root = view.machine.roots.find((dir) => isWithin(dir, cwd)) ?? cwd
    const own = { writable, network, given, temp: this.places.temp(runId), caches: this.places.caches(root) }
    this.#running++
    return {
      args: [
        ...this.#mountArgs(view, own),
        ...['--unshare-pid', '--unshare-ipc', '--die-with-parent', '--cap-drop', 'ALL', '--chdir', cwd],
        ...(network ? [] : ['--unshare-net']),
        ...(this.#filterFile === null ? [] : ['--seccomp', '4']),
        ...(network && this.#socketWords.length > 0 ? quietly : []),
        '--json-status-fd',
        '3',
        '--',
        ...this.#limitWords,
        ...(network ? this.#socketWords : []),
      ],
      env: { ...view.env, HOME: view.machine.home, TMPDIR: '/tmp' },
      filter: this.#filterFile === null ? null : openSync(this.#filterFile, 'r'),
    }
  }

  left(): void {
    this.#running--
  }

  /** The same commands come again and again: their arguments are worked out once for each look at the machine. */
  #mountArgs(view: View, own: Own): string[] {
    const key = JSON.stringify(own)
    const args = this.#known.get(key) ?? mountArgs(mountsFor(view, own))
    if (this.#known.size > MAX_KNOWN) this.#known.clear()
    this.#known.set(key, args)
    return args
  }

  /** A command that runs could change what is looked at: then what was seen before stands. */
  #look(): View {
    const now = performance.now()
    const isOld = this.#view === null || (this.#running === 0 && now - this.#lookedAt > FRESH_MS)
    if (!isOld && this.#view) return this.#view
    this.#lookedAt = now
    this.#known.clear()
    this.#view = viewOf(this.#options.machine())
    return this.#view
  }
}

/** Where a file that a command is given stands for it. */
export const givenAs = (name: string): string => `${OWN}/${name}`

function writeFilter(file: string): string | null {
  const filter = callFilter(arch() as NodeJS.Architecture)
  rmSync(file, { force: true })
  if (!filter) return null
  writeFileSync(file, filter, { mode: 0o600 })
  return file
}

export const closeFilter = ({ filter }: Entrance): void => {
  if (filter !== null) closeSync(filter)
}
