import { type ChildProcess, spawn } from 'node:child_process'
import { once } from 'node:events'
import { readFileSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import type { HolderArgs } from './holder.ts'

const program = join(import.meta.dirname, 'holder.ts')
const RESTART_MS = 100

export type Note = { task: string; execution: string; pid: number; what: string }

/** Outside agents, each a process of its own that is started again whenever it ends. */
export class Holders {
  deaths = 0
  readonly #args: Omit<HolderArgs, 'agent'>
  readonly #children = new Set<ChildProcess>()
  #stopped = false

  constructor(dir: string, urls: readonly string[], token: string) {
    this.#args = { urls: [...urls], token, file: join(dir, 'holders') }
    writeFileSync(this.#args.file, '')
  }

  start(count: number): void {
    for (let i = 0; i < count; i++) this.#start(`outside-${i + 1}`)
  }

  #start(agent: string): void {
    if (this.#stopped) return
    const child = spawn(process.execPath, [program, JSON.stringify({ ...this.#args, agent })], {
      stdio: ['pipe', 'ignore', 'inherit'],
      env: { PATH: process.env.PATH ?? '' },
    })
    child.stdin?.on('error', () => {})
    this.#children.add(child)
    child.once('exit', () => {
      this.#children.delete(child)
      this.deaths++
      setTimeout(() => this.#start(agent), RESTART_MS)
    })
  }

  /** What they noted so far, in order. */
  notes(): Note[] {
    const lines = readFileSync(this.#args.file, 'utf8').split('\n').slice(0, -1)
    return lines.map((line) => {
      const [task = '', execution = '', pid = '', ...what] = line.split(' ')
      return { task, execution, pid: Number(pid), what: what.join(' ') }
    })
  }

  async stop(): Promise<void> {
    this.#stopped = true
    for (const child of [...this.#children]) {
      child.kill('SIGCONT')
      child.kill('SIGKILL')
      await once(child, 'exit')
    }
  }
}
