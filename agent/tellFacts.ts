import type { AgentConfig } from '../core/config/agent.ts'
import type { AgentFacts } from '../core/protocol/frames.ts'
import type { Attempts } from './attempts.ts'
import type { Connection } from './connection.ts'
import { capabilitiesOf, currentLoad, findRepositories, machinePlatform } from './facts.ts'
import type { Sandbox } from './sandbox/containment.ts'
import type { Bounds } from './sandbox/roots.ts'

const VERSION = '0.1.0'
const RESCAN_MS = 10_000

/** What the agent tells of itself, kept fresh. */
export class Facts {
  readonly capabilities: ReturnType<typeof capabilitiesOf>
  readonly #fixed: Omit<AgentFacts, 'repositories' | 'load'>
  #repositories: AgentFacts['repositories'] = []
  #timer: NodeJS.Timeout | null = null
  #soon: NodeJS.Timeout | null = null
  #tell: () => void = () => {}

  constructor(
    config: AgentConfig,
    machine: string,
    bounds: Bounds,
    sandbox: Sandbox,
    env: NodeJS.ProcessEnv,
  ) {
    this.capabilities = capabilitiesOf(env)
    this.#fixed = {
      name: config.name,
      machine_id: machine,
      ...machinePlatform(),
      roots: bounds.roots,
      capabilities: [...this.capabilities],
      containment: sandbox.kind,
      version: VERSION,
    }
  }

  current(running: number): AgentFacts {
    return { ...this.#fixed, repositories: this.#repositories, load: currentLoad(running) }
  }

  async scan(): Promise<void> {
    this.#repositories = await findRepositories(this.#fixed.roots)
  }

  /** Looks for changes every 10 s and tells the gateway of them. */
  watch(attempts: Attempts, connection: Connection): void {
    let told = ''
    this.#tell = () => {
      this.scan()
        .then(() => {
          const facts = this.current(attempts.running)
          const text = JSON.stringify(facts)
          if (text !== told && connection.send({ type: 'facts', facts })) told = text
        })
        .catch(() => {}) // directories come and go; the next look is soon
    }
    this.#timer = setInterval(this.#tell, RESCAN_MS)
  }

  /** Something may have changed: look within the second. */
  look(): void {
    this.#soon ??= setTimeout(() => {
      this.#soon = null
      this.#tell()
    }, 1000)
  }

  end(): void {
    if (this.#timer) clearInterval(this.#timer)
    if (this.#soon) clearTimeout(this.#soon)
    this.#tell = () => {}
  }
}
