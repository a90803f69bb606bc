import { type ChildProcess, spawn } from 'node:child_process'
import { once } from 'node:events'
import { existsSync, readFileSync } from 'node:fs'
import { join } from 'node:path'
import { setTimeout as delay } from 'node:timers/promises'
import { Redis } from 'ioredis'
import { type EmbeddedPostgres, startEmbeddedPostgres } from '../../core/storage/embeddedPostgres.ts'
import { steadyPort } from './ports.ts'

/** The PostgreSQL under test, with its default durability. */
export class Postgres {
  readonly #dir: string
  #own: EmbeddedPostgres | null = null

  constructor(dir: string) {
    this.#dir = dir
  }

  get url(): string {
    if (!this.#own) throw new Error('PostgreSQL is not started')
    return this.#own.url
  }

  async start(): Promise<void> {
    this.#own = await startEmbeddedPostgres(this.#dir)
  }

  /** `fast` rolls back what is open and writes everything down; `immediate` is a crash: it recovers at the next start. */
  async restart(how: 'fast' | 'immediate', awayMs: number): Promise<void> {
    const pid = this.#pid()
    if (pid) process.kill(pid, how === 'fast' ? 'SIGINT' : 'SIGQUIT')
    while (pid && isAlive(pid)) await delay(20)
    await delay(awayMs)
    await this.start()
  }

  async stop(): Promise<void> {
    await this.#own?.stop()
  }

  #pid(): number | null {
    const file = join(this.#dir, 'postgres/data/postmaster.pid')
    return existsSync(file) ? Number(readFileSync(file, 'utf8').split('\n')[0]) : null
  }
}

function isAlive(pid: number): boolean {
  try {
    return process.kill(pid, 0)
  } catch {
    return false
  }
}

/** A Redis that keeps nothing: whenever it starts again it is empty. */
export class RedisServer {
  readonly #dir: string
  #port = 0
  #shell: ChildProcess | null = null

  constructor(dir: string) {
    this.#dir = dir
  }

  get url(): string {
    return `redis://127.0.0.1:${this.#port}`
  }

  async start(): Promise<void> {
    this.#port ||= await steadyPort()
    const options = `--port ${this.#port} --bind 127.0.0.1 --dir ${this.#dir} --save '' --appendonly no --maxmemory-policy noeviction --loglevel warning`
    const script = `exec 3<&0; redis-server ${options} </dev/null >/dev/null & r=$!; (cat <&3 >/dev/null; kill -9 $r) & wait $r`
    const shell = spawn('sh', ['-c', script], { stdio: ['pipe', 'ignore', 'ignore'] })
    shell.stdin?.on('error', () => {})
    this.#shell = shell
    await this.#ask((redis) => redis.ping())
  }

  async restart(awayMs: number): Promise<void> {
    await this.stop()
    await delay(awayMs)
    await this.start()
  }

  flush(): Promise<unknown> {
    return this.#ask((redis) => redis.flushall())
  }

  async stop(): Promise<void> {
    const shell = this.#shell
    if (!shell || shell.exitCode !== null) return
    const gone = once(shell, 'exit')
    shell.stdin?.end()
    await gone
  }

  async #ask<T>(what: (redis: Redis) => Promise<T>): Promise<T> {
    const redis = new Redis(this.url, { maxRetriesPerRequest: null, retryStrategy: () => 50 })
    redis.on('error', () => {})
    return what(redis).finally(() => redis.disconnect())
  }
}
