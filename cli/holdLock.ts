import { createHash } from 'node:crypto'
import { rmSync } from 'node:fs'
import { connect, createServer, type Server } from 'node:net'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { setTimeout as delay } from 'node:timers/promises'
import { UsageError } from './reportError.ts'

const WAIT_MS = 60_000

/**
 * Waits until no other process of this machine holds the lock of that name, and takes it. Returns what gives it
 * back; the kernel does when the process ends, however it ends. Rejects after a minute.
 */
export async function holdLock(name: string): Promise<() => Promise<void>> {
  const id = `skynet-${createHash('sha256').update(name).digest('hex').slice(0, 32)}`
  const path = process.platform === 'linux' ? `\0${id}` : join(tmpdir(), id)
  for (const deadline = Date.now() + WAIT_MS; ; ) {
    const server = await tryListen(path)
    if (server) return () => new Promise((resolve) => server.close(() => resolve()))
    if (Date.now() > deadline)
      throw new UsageError(
        `another SKYNET has been starting on ${name} for a minute. End it, then start again.`,
      )
    if (process.platform !== 'linux' && !(await isHeld(path))) rmSync(path, { force: true })
    await delay(30)
  }
}

function tryListen(path: string): Promise<Server | null> {
  const server = createServer((socket) => socket.destroy())
  return new Promise((resolve) => {
    server.once('error', () => resolve(null))
    server.listen(path, () => resolve(server.unref()))
  })
}

/** A socket file that a killed process left behind answers nobody. */
function isHeld(path: string): Promise<boolean> {
  const socket = connect(path)
  return new Promise((resolve) => {
    socket.once('connect', () => resolve(true)).once('error', () => resolve(false))
  }).then((held) => {
    socket.destroy()
    return held === true
  })
}
