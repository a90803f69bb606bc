import { spawnSync } from 'node:child_process'
import { SandboxManager } from '@anthropic-ai/sandbox-runtime'
import type { SpawnSide } from '../peers.ts'

/** Without the network, one directory writable, the home not readable. Null where it misses what it needs (socat, ripgrep). */
export async function openSandboxRuntime(work: string, home: string): Promise<SpawnSide | null> {
  const missing = ['socat', 'rg', 'bwrap'].filter((name) => spawnSync('which', [name]).status !== 0)
  if (missing.length > 0) return null
  await SandboxManager.initialize({
    network: { allowedDomains: [], deniedDomains: [] },
    filesystem: { denyRead: [home], allowRead: [work], allowWrite: [work], denyWrite: [] },
  })
  return {
    command: async () => ['sh', '-c', await SandboxManager.wrapWithSandbox('true')],
    close: () => SandboxManager.reset(),
  }
}
