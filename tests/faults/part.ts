import { type ChildProcess, spawn } from 'node:child_process'
import { once } from 'node:events'
import { closeSync, openSync, readFileSync, statSync } from 'node:fs'
import { join } from 'node:path'

const main = join(import.meta.dirname, '../../cli/main.ts')
const RESTART_MS = 150
/** Who ends sooner by itself has not come up: what it needs was away. */
const UP_MS = 10_000
/** What bot, API and workers say once they are up. */
const UP = 'runs. Ctrl+C'
/** What a process says as it dies at a failpoint. */
const HIT = /^failpoint (\S+)$/m

export type PartKind = 'bot' | 'api' | 'workers' | 'gateway' | 'agent'
export type PartEnd = {
  part: Part
  /** `asked`: killed from here. `failpoint`: it died at the point named. `failed`: it could not come up. */
  how: 'asked' | 'failpoint' | 'failed' | 'died'
  what: string
}
type Env = Record<string, string>

/** One part of SKYNET as `skynet <part>` starts it, started again whenever it ends. */
export class Part {
  readonly name: string
  readonly kind: PartKind
  /** The failpoints of which this process, or the next one, dies at the first that it comes to; none: at none. */
  armed: readonly string[] = []
  armedAt = 0
  /** What the next process gets besides its settings: a clock that is wrong, for one. */
  extra: Env = {}
  readonly #env: Env
  readonly #logDir: string
  readonly #onEnd: (end: PartEnd) => void
  #child: ChildProcess | null = null
  #asked = false
  #held = false
  #stopped = false
  #startedAt = 0
  #logStart = 0

  constructor(name: string, kind: PartKind, env: Env, logDir: string, onEnd: (end: PartEnd) => void) {
    this.name = name
    this.kind = kind
    this.#env = env
    this.#logDir = logDir
    this.#onEnd = onEnd
  }

  get pid(): number | null {
    return this.#child?.pid ?? null
  }

  /** The next process dies at one of these failpoints. */
  arm(points: readonly string[]): void {
    this.armed = points
    this.armedAt = performance.now()
  }

  start(): void {
    if (this.#stopped || this.#held || this.#child) return
    const log = openSync(this.#log, 'a')
    this.#logStart = statSync(this.#log).size
    const env = {
      ...this.#env,
      ...this.extra,
      ...(this.armed.length > 0 ? { SKYNET_FAILPOINT: this.armed.join(',') } : {}),
    }
    const flags = ['--max-semi-space-size=2', '--disable-warning=ExperimentalWarning']
    const child = spawn(process.execPath, [...flags, main, this.kind], { env, stdio: ['pipe', log, log] })
    closeSync(log)
    child.stdin?.on('error', () => {})
    this.#child = child
    this.#asked = false
    this.#startedAt = performance.now()
    child.once('exit', (code, signal) => this.#ended(code, signal))
  }

  #ended(code: number | null, signal: string | null): void {
    this.#child = null
    if (this.#stopped) return
    const said = this.#said()
    const hit = signal === 'SIGKILL' ? HIT.exec(said)?.[1] : undefined
    if (hit) this.armed = []
    const early = !this.#wasUp(said)
    const how = hit ? 'failpoint' : this.#asked ? 'asked' : early ? 'failed' : 'died'
    this.#onEnd({ part: this, how, what: hit ?? `code ${code}, signal ${signal}` })
    setTimeout(() => this.start(), early && how === 'failed' ? RESTART_MS * 3 : RESTART_MS)
  }

  get #log(): string {
    return join(this.#logDir, `${this.name}.log`)
  }

  /** What this process wrote to its log. */
  #said(): string {
    return readFileSync(this.#log).subarray(this.#logStart).toString()
  }

  /** Gateways and agents say nothing of it: those that ran for a while were. */
  #wasUp(said: string): boolean {
    if (this.kind === 'gateway' || this.kind === 'agent') return performance.now() - this.#startedAt > UP_MS
    return said.includes(UP)
  }

  /** Kills it; it comes back by itself. */
  async kill(): Promise<void> {
    const child = this.#child
    if (!child || child.exitCode !== null || child.signalCode !== null) return
    this.#asked = true
    child.kill('SIGKILL')
    await once(child, 'exit')
  }

  /** Kills it and keeps it away until `release`. */
  async hold(): Promise<void> {
    this.#held = true
    await this.kill()
  }

  release(): void {
    this.#held = false
    this.start()
  }

  signal(name: 'SIGSTOP' | 'SIGCONT'): void {
    this.#child?.kill(name)
  }

  async stop(): Promise<void> {
    this.#stopped = true
    const child = this.#child
    if (!child) return
    child.kill('SIGCONT')
    child.kill('SIGKILL')
    await once(child, 'exit')
  }
}
