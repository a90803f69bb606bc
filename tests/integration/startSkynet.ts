import { type ChildProcess, execFile, spawn } from 'node:child_process'
import { once } from 'node:events'
import { mkdirSync, mkdtempSync, readdirSync, readFileSync, realpathSync, rmSync } from 'node:fs'
import { availableParallelism, loadavg, tmpdir } from 'node:os'
import { join } from 'node:path'
import { setTimeout as delay } from 'node:timers/promises'
import { freePort } from '../support/freePort.ts'

/*
 * SKYNET as a person starts it: the command as a process of its own, in a directory of its own.
 *
 *   const home = await newHome()
 *   const skynet = home.start()                 // skynet start
 *   await skynet.healthy()
 *   await home.run('doctor')                    // { code, out }
 *   home.processes()                            // everything of it that still runs
 */

const main = join(import.meta.dirname, '../../cli/main.ts')

export type Answer = { code: number; out: string }
type Env = Record<string, string>

/** A directory with a data directory, a workspace and three free ports; `env` on top. */
export async function newHome(env: Env = {}): Promise<Home> {
  const [http, gateway, playground] = [await freePort(), await freePort(), await freePort()]
  return new Home({
    SKYNET_HTTP_PORT: String(http),
    SKYNET_GATEWAY_PORT: String(gateway),
    SKYNET_PLAYGROUND_PORT: String(playground),
    ...env,
  })
}

export class Home {
  readonly dir = realpathSync(mkdtempSync(join(tmpdir(), 'skynet-cli-')))
  readonly dataDir = join(this.dir, 'data')
  readonly env: Env
  constructor(env: Env) {
    this.env = {
      PATH: process.env.PATH ?? '',
      HOME: this.dir,
      SKYNET_DATA_DIR: this.dataDir,
      SKYNET_AGENT_ROOTS: join(this.dir, 'work'),
      SKYNET_LOG_LEVEL: process.env.TEST_LOG ?? 'warn',
      ...env,
    }
    mkdirSync(join(this.dir, 'work'))
  }

  get apiUrl(): string {
    return `http://127.0.0.1:${this.env.SKYNET_HTTP_PORT}`
  }

  /** Starts a command that goes on running: `start` unless told otherwise. */
  start(args: string[] = ['start'], env: Env = {}): Skynet {
    return new Skynet(this, args, { ...this.env, ...env })
  }

  /** Runs a command to its end. */
  run(command: string, env: Env = {}): Promise<Answer> {
    return new Promise((resolve) => {
      const options = { env: { ...this.env, ...env }, timeout: 30_000 }
      execFile(process.execPath, [main, ...command.split(' ')], options, (error, stdout, stderr) =>
        resolve({ code: error ? Number(error.code ?? -1) : 0, out: stdout + stderr }),
      )
    })
  }

  /** Command lines of every process that has to do with this directory, by pid. */
  processes(): Map<number, string> {
    const pids = readdirSync('/proc').filter((name) => /^\d+$/.test(name))
    const found = pids.flatMap((pid) => {
      const command = read(`/proc/${pid}/cmdline`)
      const isOurs = `${command}\0${read(`/proc/${pid}/environ`)}`.includes(this.dir)
      return isOurs && command !== '' ? [[Number(pid), command.replaceAll('\0', ' ').trim()] as const] : []
    })
    return new Map(found)
  }

  /** The pid of the gateway or the agent; null when none runs. */
  pidOf(part: 'gateway' | 'agent'): number | null {
    for (const [pid, command] of this.processes()) if (command.includes(`${part}/main.ts`)) return pid
    return null
  }

  /** Waits until nothing of it runs; rejects with what does after `ms`. */
  gone(ms: number): Promise<unknown> {
    return until(
      () => this.processes().size === 0,
      ms,
      () => [...this.processes().values()].join('\n'),
    )
  }

  remove(): void {
    for (const pid of this.processes().keys()) kill(pid)
    rmSync(this.dir, { recursive: true, force: true, maxRetries: 5, retryDelay: 100 })
  }
}

export class Skynet {
  readonly began = performance.now()
  readonly #child: ChildProcess
  readonly #home: Home
  out = ''

  constructor(home: Home, args: string[], env: Env) {
    this.#home = home
    this.#child = spawn(process.execPath, [main, ...args], { env, stdio: ['ignore', 'pipe', 'pipe'] })
    for (const stream of [this.#child.stdout, this.#child.stderr])
      stream?.on('data', (chunk: Buffer) => {
        this.out += chunk.toString()
      })
  }

  /** Waits until the API says that every part answers. Returns the milliseconds since the start. */
  async healthy(ms = 40_000): Promise<number> {
    const url = `${this.#home.apiUrl}/v1/health`
    const look = () =>
      fetch(url).then(
        (answer) => answer.status === 200,
        () => false,
      )
    await until(look, ms, () => this.out)
    return performance.now() - this.began
  }

  /** Waits for a line; returns what the pattern's first group caught. */
  async says(pattern: RegExp, ms = 40_000): Promise<string> {
    await until(
      () => pattern.test(this.out),
      ms,
      () => `${pattern} in: ${this.out}`,
    )
    return pattern.exec(this.out)?.[1] ?? ''
  }

  signal(name: 'SIGTERM' | 'SIGINT' | 'SIGKILL'): void {
    this.#child.kill(name)
  }

  /** Waits for the end; code null: it was killed. */
  async ended(): Promise<{ code: number | null; ms: number }> {
    const began = performance.now()
    const isOver = this.#child.exitCode !== null || this.#child.signalCode !== null
    if (!isOver) await once(this.#child, 'exit')
    return { code: this.#child.exitCode, ms: performance.now() - began }
  }
}

/** So many milliseconds on a machine whose cores are free; where others want them too, as much longer as they take. */
export const onFreeCores = (ms: number): number =>
  ms * Math.max(1, (loadavg()[0] ?? 0) / availableParallelism())

export async function until(
  isSo: () => boolean | Promise<boolean>,
  ms: number,
  state: () => string,
): Promise<void> {
  for (const deadline = performance.now() + ms; !(await isSo()); await delay(25))
    if (performance.now() > deadline) throw new Error(`waited ${ms} ms; ${state()}`)
}

const read = (file: string): string => {
  try {
    return readFileSync(file, 'utf8')
  } catch {
    return ''
  }
}

function kill(pid: number): void {
  try {
    process.kill(pid, 'SIGKILL')
  } catch {
    // It has ended by itself.
  }
}
