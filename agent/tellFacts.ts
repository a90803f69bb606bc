import type { AgentConfig } from '../core/config/agent.ts'
import { type AgentFacts, MAX_LINKS, type PathAlias } from '../core/protocol/frames.ts'
import type { Attempts } from './attempts.ts'
import { capabilitiesOf, currentLoad, type Found, lookAround, machinePlatform } from './facts.ts'
import type { Lines } from './lines.ts'
import { realName } from './sandbox/aliases.ts'
import type { Sandbox } from './sandbox/containment.ts'
import type { Bounds } from './sandbox/roots.ts'

const VERSION = '0.1.0'
const RESCAN_MS = 10_000
/** Links kept that are not within three levels of a root. */
const MAX_MET = 100

/** What the agent tells of itself, kept fresh. */
export class Facts {
  readonly capabilities: ReturnType<typeof capabilitiesOf>
  /** Roots that were given under another name than their own. */
  readonly #given: PathAlias[]
  readonly #fixed: Omit<AgentFacts, 'repositories' | 'links' | 'load'>
  #found: Found = { repositories: [], links: [] }
  /** Links that work has met, wherever they are: oldest first. */
  #met: PathAlias[] = []
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
    this.#given = config.roots
      .map((path) => ({ path: path.replace(/(?<=.)\/+$/, ''), to: realName(path) }))
      .filter(({ path, to }) => path !== to)
    this.#fixed = {
      name: config.name,
      machine_id: machine,
      ...machinePlatform(),
      roots: bounds.roots,
      capabilities: [...this.capabilities],
      containment: sandbox.kind,
      ...(sandbox.kind === 'bwrap' ? { confined: sandbox.walls.holds } : {}),
      inspects: true,
      version: VERSION,
    }
  }

  current(running: number): AgentFacts {
    const { repositories, links } = this.#found
    const all = new Map([...links, ...this.#given, ...this.#met].map((link) => [link.path, link]))
    return {
      ...this.#fixed,
      repositories,
      links: [...all.values()].slice(-MAX_LINKS),
      load: currentLoad(running),
    }
  }

  async scan(): Promise<void> {
    this.#found = await lookAround(this.#fixed.roots)
    this.#met = this.#met.filter(({ path, to }) => realName(path) === to)
  }

  /** Links that work has met, and that the ledger does not know: told at once. */
  learn(met: readonly PathAlias[]): void {
    const paths = new Set(met.map((link) => link.path))
    this.#met = [...this.#met.filter((link) => !paths.has(link.path)), ...met].slice(-MAX_MET)
    this.#tell()
  }

  /** Looks for changes every 10 s and tells the gateway of them. */
  watch(attempts: Attempts, lines: Pick<Lines, 'send'>): void {
    let told = ''
    this.#tell = () => {
      this.scan()
        .then(() => {
          const facts = this.current(attempts.running)
          const text = JSON.stringify(facts)
          if (text !== told && lines.send({ type: 'facts', facts })) told = text
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
