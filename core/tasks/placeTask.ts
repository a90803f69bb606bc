import { posix, win32 } from 'node:path'
import {
  ANY_AGENT,
  findAgent,
  type KnownAgent,
  meetAgent,
  meetAnyAgent,
  scopeId,
} from '../fleet/outsideAgents.ts'
import type { JudgedMachine } from '../planning/judgePlan.ts'
import type { AgentFacts } from '../protocol/frames.ts'
import { TaskSpec } from '../protocol/specs.ts'
import { chooseAgent } from '../scheduling/chooseAgent.ts'
import type { Tx } from '../storage/sql.ts'
import type { TaskRequest } from './taskRequest.ts'

/** What policy has to know of the machine; of an outside one, nothing is known but the directory it was given. */
export type PlacedTask = {
  spec: TaskSpec
  machine: JudgedMachine & Pick<AgentFacts, 'links'>
}
export type Placed = { kind: 'placed'; task: PlacedTask } | { kind: 'fault'; code: string; message: string }

/** The agents that tasks of one batch name, each asked for once. */
export class Acquaintances {
  readonly #tx: Tx
  readonly #known = new Map<string, Promise<KnownAgent | null>>()
  constructor(tx: Tx) {
    this.#tx = tx
  }

  /** As `findAgent`. */
  find(ref: string): Promise<KnownAgent | null> {
    return this.#once(`find ${ref}`, () => findAgent(this.#tx, ref))
  }
  /** As `meetAgent`. */
  meet(ref: string): Promise<KnownAgent | null> {
    return this.#once(`meet ${ref}`, () => meetAgent(this.#tx, ref))
  }
  async meetAny(): Promise<void> {
    await this.#once('any', async () => {
      await meetAnyAgent(this.#tx)
      return null
    })
  }

  #once(key: string, ask: () => Promise<KnownAgent | null>): Promise<KnownAgent | null> {
    const known = this.#known.get(key) ?? ask()
    this.#known.set(key, known)
    return known
  }
}

/**
 * Fixes the place of a task: its agent, machine and directory, before policy looks. Push: the agent that is named,
 * else the best one. Pull: the one that is named, else any, and then its files are owned in a scope of their own.
 */
export async function placeTask(tx: Tx, task: TaskRequest, agents = new Acquaintances(tx)): Promise<Placed> {
  if (task.dispatch === 'push') return placePushed(tx, task, agents)
  if (task.agent_id === undefined) {
    await agents.meetAny()
    return placeOutside(task, ANY_AGENT)
  }
  const agent = await agents.meet(task.agent_id)
  if (!agent)
    return { kind: 'fault', code: 'UNKNOWN_AGENT', message: `The agent ${task.agent_id} was revoked.` }
  return agent.facts ? placeInside(task, agent, agent.facts) : placeOutside(task, agent.id)
}

async function placePushed(tx: Tx, task: TaskRequest, agents: Acquaintances): Promise<Placed> {
  if (task.agent_id !== undefined) {
    const agent = await agents.find(task.agent_id)
    if (!agent?.facts)
      return {
        kind: 'fault',
        code: 'UNKNOWN_AGENT',
        message: `No enrolled agent is called ${task.agent_id}. GET /v1/agents lists them; outside agents take tasks with dispatch "pull".`,
      }
    return placeInside(task, agent, agent.facts)
  }
  const chosen = await chooseAgent(tx, {
    action: task.action,
    capabilities: task.capabilities,
    ...(task.cwd === undefined ? {} : { cwd: task.cwd }),
  })
  if (!chosen)
    return {
      kind: 'fault',
      code: 'NO_AGENT',
      message: 'No enrolled agent can take this task: see POST /v1/route-task.',
    }
  return placeInside({ ...task, cwd: chosen.cwd }, { id: chosen.agentId }, chosen.facts)
}

function placeInside(task: TaskRequest, agent: Pick<KnownAgent, 'id'>, facts: AgentFacts): Placed {
  const root = facts.roots[0] ?? '/'
  const cwd = absolute(task.cwd ?? root, root, facts)
  const isInside = facts.roots.some((r) => cwd === r || cwd.startsWith(r.endsWith('/') ? r : `${r}/`))
  if (!isInside && !facts.platform.startsWith('win32'))
    return {
      kind: 'fault',
      code: 'OUTSIDE_ROOTS',
      message: `${cwd} is outside the directories of this agent: ${facts.roots.join(', ')}`,
    }
  const spec = specOf(task, agent.id, facts.machine_id, cwd, facts)
  return { kind: 'placed', task: { spec, machine: facts } }
}

function placeOutside(task: TaskRequest, agentId: string): Placed {
  const machine = { home: '/nowhere', platform: 'linux' }
  const cwd = absolute(task.cwd ?? '/', '/', machine)
  const spec = specOf(task, agentId, scopeId(task.ownership_scope ?? null), cwd, machine)
  return {
    kind: 'placed',
    task: { spec, machine: { ...machine, roots: task.cwd === undefined ? [] : [cwd] } },
  }
}

type Home = Pick<AgentFacts, 'home' | 'platform'>

const specOf = (task: TaskRequest, agentId: string, machineId: string, cwd: string, home: Home): TaskSpec =>
  TaskSpec.parse({
    action: task.action,
    params: task.params,
    agent_id: agentId,
    machine_id: machineId,
    cwd,
    required_files: task.required_files.map((file) => absolute(file, cwd, home)),
    timeout_s: task.timeout_s,
    network: false,
    ...(task.secrets ? { secrets: task.secrets } : {}),
  })

/** A path as written, made absolute: `~/` is the home, anything relative is below `base`. */
function absolute(path: string, base: string, { home, platform }: Home): string {
  const { resolve } = platform.startsWith('win32') ? win32 : posix
  return path === '~' || path.startsWith('~/') ? resolve(home, `.${path.slice(1)}`) : resolve(base, path)
}
