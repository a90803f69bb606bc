import { type ChildProcess, spawn } from 'node:child_process'
import { once } from 'node:events'
import { readFileSync } from 'node:fs'
import { type AddressInfo, createConnection, createServer, type Server, type Socket } from 'node:net'
import { join } from 'node:path'
import { setTimeout as delay } from 'node:timers/promises'
import { Redis } from 'ioredis'
import { type EmbeddedPostgres, startEmbeddedPostgres } from '../../core/storage/embeddedPostgres.ts'
import { freePort } from './freePort.ts'

/*
 * A PostgreSQL and a Redis of one test alone, which it may stop, crash and cut off, each reached over a line:
 *
 *   const postgres = await new PrivatePostgres(dir).start()
 *   postgres.url                                   // over the line
 *   await postgres.end('immediate'); await postgres.start()
 *   postgres.line.cut(); postgres.line.hush(); postgres.line.mend()
 */

/** What lies between a client and a server. */
export class Line {
  readonly #target: () => { path: string } | { host: string; port: number }
  readonly #sockets = new Set<Socket>()
  #server: Server | null = null
  #silent = false
  port = 0

  constructor(target: () => { path: string } | { host: string; port: number }) {
    this.#target = target
  }

  /** Forwards again; what was held up arrives. */
  async mend(): Promise<void> {
    this.#silent = false
    for (const socket of this.#sockets) socket.resume()
    if (this.#server) return
    const server = createServer((near) => this.#join(near))
    server.listen(this.port, '127.0.0.1')
    await once(server, 'listening')
    this.port = (server.address() as AddressInfo).port
    this.#server = server
  }

  /** Breaks what there is; new connections are refused. */
  async cut(): Promise<void> {
    const server = this.#server
    this.#server = null
    for (const socket of this.#sockets) socket.destroy()
    if (server) await new Promise((resolve) => server.close(resolve))
  }

  /** Half open: connections stay, and new ones are taken, but nothing passes. */
  hush(): void {
    this.#silent = true
    for (const socket of this.#sockets) socket.pause()
  }

  #join(near: Socket): void {
    const far = createConnection(this.#target())
    const ends: [Socket, Socket][] = [
      [near, far],
      [far, near],
    ]
    for (const [from, to] of ends) {
      this.#sockets.add(from)
      from.on('data', (bytes) => to.write(bytes))
      from.on('error', () => {})
      from.on('close', () => {
        this.#sockets.delete(from)
        to.destroy()
      })
      if (this.#silent) from.pause()
    }
  }
}

export class PrivatePostgres {
  readonly line: Line
  readonly #dir: string
  #own: EmbeddedPostgres | null = null

  constructor(dir: string) {
    this.#dir = dir
    this.line = new Line(() => {
      const url = new URL(this.#own?.url ?? 'none://')
      return { path: join(url.searchParams.get('host') ?? '', '.s.PGSQL.5432') }
    })
  }

  get url(): string {
    return `postgresql://skynet@127.0.0.1:${this.line.port}/skynet`
  }

  async start(): Promise<this> {
    this.#own = await startEmbeddedPostgres(this.#dir)
    await this.line.mend()
    return this
  }

  /** `fast`: in order; `immediate`: as if it crashed. */
  async end(how: 'fast' | 'immediate'): Promise<void> {
    const pid = Number(readFileSync(join(this.#dir, 'postgres/data/postmaster.pid'), 'utf8').split('\n')[0])
    process.kill(pid, how === 'fast' ? 'SIGINT' : 'SIGQUIT')
    while (isAlive(pid)) await delay(20)
  }

  async stop(): Promise<void> {
    await this.line.cut()
    await this.#own?.stop()
  }
}

function isAlive(pid: number): boolean {
  try {
    return process.kill(pid, 0)
  } catch {
    return false
  }
}

/** Keeps nothing: it is empty whenever it starts. */
export class PrivateRedis {
  readonly line = new Line(() => ({ host: '127.0.0.1', port: this.#port }))
  #port = 0
  #shell: ChildProcess | null = null

  get url(): string {
    return `redis://127.0.0.1:${this.line.port}`
  }

  async start(): Promise<this> {
    this.#port ||= await freePort()
    const options = `--port ${this.#port} --bind 127.0.0.1 --save '' --appendonly no --maxmemory-policy noeviction --loglevel warning`
    const script = `exec 3<&0; redis-server ${options} </dev/null >/dev/null & r=$!; (cat <&3 >/dev/null; kill -9 $r) & wait $r`
    const shell = spawn('sh', ['-c', script], { stdio: ['pipe', 'ignore', 'ignore'] })
    shell.stdin?.on('error', () => {})
    this.#shell = shell
    const redis = new Redis(this.#port, { maxRetriesPerRequest: null, retryStrategy: () => 50 })
    redis.on('error', () => {})
    await redis.ping()
    redis.disconnect()
    await this.line.mend()
    return this
  }

  async end(): Promise<void> {
    const shell = this.#shell
    if (!shell || shell.exitCode !== null) return
    const gone = once(shell, 'exit')
    shell.stdin?.end()
    await gone
  }

  async stop(): Promise<void> {
    await this.line.cut()
    await this.end()
  }
}
