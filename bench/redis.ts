import { spawn } from 'node:child_process'
import { once } from 'node:events'
import { mkdtemp, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { Redis } from 'ioredis'
import { freePort } from '../tests/support/freePort.ts'

export type OwnRedis = { url: string; stop(): Promise<void> }

/** A Redis that writes every change to its file before it answers (`appendfsync always`), or keeps nothing. */
export async function startRedis(durable: boolean): Promise<OwnRedis> {
  const dir = await mkdtemp(join(tmpdir(), 'skynet-rows-redis-'))
  const port = await freePort()
  const keeps = durable ? ['--appendonly', 'yes', '--appendfsync', 'always'] : ['--appendonly', 'no']
  const own = ['--port', String(port), '--bind', '127.0.0.1', '--dir', dir, '--save', '']
  const server = spawn('redis-server', [...own, ...keeps, '--maxmemory-policy', 'noeviction'], {
    stdio: 'ignore',
  })
  server.once('error', (error) => {
    throw new Error(`redis-server (Debian: apt install redis-server): ${error.message}`)
  })
  const redis = new Redis(port, { maxRetriesPerRequest: null, retryStrategy: () => 50 })
  redis.on('error', () => {})
  await redis.ping()
  redis.disconnect()
  return {
    url: `redis://127.0.0.1:${port}`,
    stop: async () => {
      const gone = once(server, 'exit')
      server.kill('SIGTERM')
      await gone
      await rm(dir, { recursive: true, force: true })
    },
  }
}
