import { createHash, randomUUID } from 'node:crypto'
import { mkdirSync, readFileSync, writeFileSync } from 'node:fs'
import { createServer, type Server } from 'node:net'
import { tmpdir } from 'node:os'
import { dirname, join } from 'node:path'

/**
 * A stable id of this machine, the same for every agent on it: a hash of /etc/machine-id (which is not to leave
 * the machine itself), else one made once and kept in the data directory.
 */
export function machineId(dataDir: string): string {
  const own = readTrimmed('/etc/machine-id')
  if (/^[0-9a-f]{32}$/.test(own))
    return createHash('sha256').update(`skynet:${own}`).digest('hex').slice(0, 32)
  const file = join(dataDir, 'machine-id')
  const kept = readTrimmed(file)
  if (kept !== '') return kept
  const made = randomUUID().replaceAll('-', '')
  mkdirSync(dirname(file), { recursive: true, mode: 0o700 })
  writeFileSync(file, made, { mode: 0o600, flag: 'wx' })
  return made
}

function readTrimmed(file: string): string {
  try {
    return readFileSync(file, 'utf8').trim()
  } catch {
    return ''
  }
}

/**
 * Makes sure that no other agent uses the same directory: two would each start what is dispatched twice. The
 * kernel frees the lock when the process ends, however it ends. Rejects when it is taken.
 */
export function lockDirectory(dir: string): Promise<Server> {
  const name = `skynet-agent-${createHash('sha256').update(dir).digest('hex').slice(0, 32)}`
  const path = process.platform === 'linux' ? `\0${name}` : join(tmpdir(), name)
  const server = createServer((socket) => socket.destroy())
  return new Promise((resolve, reject) => {
    server.once('error', () =>
      reject(
        new Error(
          `Another agent already runs on ${dir}. Stop it, or give this one another SKYNET_AGENT_NAME.`,
        ),
      ),
    )
    server.listen(path, () => resolve(server.unref()))
  })
}
