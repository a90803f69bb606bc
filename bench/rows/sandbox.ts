import { spawn } from 'node:child_process'
import { once } from 'node:events'
import { mkdirSync, mkdtempSync, realpathSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { type Contained, spawnContained } from '../../agent/sandbox/containment.ts'
import { searchPath } from '../../agent/sandbox/environment.ts'
import { treeGone } from '../../agent/sandbox/killTree.ts'
import { limitsOf } from '../../agent/sandbox/limits.ts'
import { machineOf } from '../../agent/sandbox/machineOf.ts'
import { type Confinement, closeFilter, Walls } from '../../agent/sandbox/walls.ts'
import { parseAgentConfig } from '../../core/config/agent.ts'
import { atMost, type Contestant, compare, lines, scaled } from '../compare.ts'
import { median } from '../figures.ts'
import { peer, type SpawnSide } from '../peers.ts'

const SPAWNS = scaled(60)

type Spawn = () => Promise<void>
type OpenRuntime = (work: string, home: string) => Promise<SpawnSide | null>

/** A round: one after the other, `true` from the call to the end of its last process. The figure: median milliseconds. */
const contestant = (name: string, once: Spawn): Contestant => ({
  name,
  round: async () => {
    const times: number[] = []
    for (let n = 0; n < SPAWNS; n++) {
      const began = performance.now()
      await once()
      times.push(performance.now() - began)
    }
    return median(times)
  },
})

/** By the agent's own way in. */
const confined =
  (walls: Walls, confinement: Confinement, env: Record<string, string>) => async (): Promise<void> => {
    const contained: Contained = spawnContained(
      { kind: 'bwrap', walls },
      { file: 'true', args: [], env, stdio: ['ignore', 'ignore', 'ignore'], confinement },
    )
    await ended(contained.child)
    await treeGone(contained, 'bench')
    contained.left()
  }

async function ended(child: ReturnType<typeof spawn>): Promise<void> {
  const [code] = (await once(child, 'exit')) as [number | null]
  if (code !== 0) throw new Error(`a spawn ended with ${code}`)
}

const plain = (file: string, args: readonly string[], env: Record<string, string>): Spawn => {
  return () => ended(spawn(file, args, { stdio: 'ignore', env, cwd: '/' }))
}

/** The same mounts and namespaces, without what the walls add: filter, limits, status, landlock. */
function bareArgs(walls: Walls, confinement: Confinement): string[] {
  const entrance = walls.enter(confinement)
  closeFilter(entrance)
  walls.left()
  const args = entrance.args.slice(0, entrance.args.indexOf('--'))
  for (const option of ['--seccomp', '--json-status-fd']) {
    const at = args.indexOf(option)
    if (at >= 0) args.splice(at, 2)
  }
  return [...args, '--', 'true']
}

/** Row 9: a confined process, against what bubblewrap alone costs with the same walls, and a runtime of that kind. */
export async function sandboxRow(): Promise<string[]> {
  const dir = realpathSync(mkdtempSync(join(tmpdir(), 'skynet-row-sandbox-')))
  const work = join(dir, 'work')
  mkdirSync(work)
  mkdirSync(join(dir, 'data/agent-x'), { recursive: true })
  const env = { PATH: searchPath(process.env.PATH), HOME: process.env.HOME ?? dir }
  const config = parseAgentConfig({
    SKYNET_DATA_DIR: join(dir, 'data'),
    SKYNET_AGENT_NAME: 'x',
    SKYNET_AGENT_ROOTS: work,
    HOME: env.HOME,
  })
  const walls = new Walls({
    program: '/usr/bin/bwrap',
    agentDir: config.agentDir,
    limits: limitsOf(config.limits),
    places: env.PATH.split(':'),
    machine: machineOf(config, { roots: [work], hidden: join(dir, 'data') }, env),
  })
  const confinement: Confinement = { runId: 'bench', cwd: work, writable: [work], network: false, given: [] }
  const runtime = await (await peer<OpenRuntime>('sandboxRuntime', 'openSandboxRuntime'))(work, env.HOME)
  try {
    const figures = await compare([
      contestant('SKYNET', confined(walls, confinement, env)),
      contestant('SKYNET, with the network', confined(walls, { ...confinement, network: true }, env)),
      contestant('bwrap, the same walls', plain('/usr/bin/bwrap', bareArgs(walls, confinement), env)),
      contestant(
        'bwrap, one bind',
        plain('/usr/bin/bwrap', ['--ro-bind', '/', '/', '--unshare-pid', '--unshare-net', '--', 'true'], env),
      ),
      ...(runtime ? [contestant('sandbox-runtime', throughRuntime(runtime, env))] : []),
      contestant('plain spawn', plain('true', [], env)),
    ])
    return [
      ...lines(figures, ' ms', 1),
      ...(runtime
        ? [atMost(figures, 'SKYNET', 'sandbox-runtime', 1)]
        : ['sandbox-runtime: not measured, it needs socat and ripgrep']),
      atMost(figures, 'SKYNET', 'bwrap, the same walls', 1.3),
    ]
  } finally {
    await runtime?.close()
    rmSync(dir, { recursive: true, force: true })
  }
}

const throughRuntime = (runtime: SpawnSide, env: Record<string, string>) => async (): Promise<void> => {
  const [file, ...args] = await runtime.command()
  await ended(spawn(file, args, { stdio: 'ignore', env, cwd: '/' }))
}
