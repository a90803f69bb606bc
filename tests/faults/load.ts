import type { Deps } from '../../core/deps.ts'
import { listMachines } from '../../core/fleet/machineFacts.ts'
import { commitRevision } from '../../core/planning/commitRevision.ts'
import { PlanSpec } from '../../core/protocol/specs.ts'
import { createRun } from '../../core/runs/createRun.ts'
import type { Random } from './random.ts'
import { type Machine, type Stand, WORK_DIRS } from './stand.ts'
import { codeOf, type Step } from './thinker.ts'
import { commandOf, LONG_S, PACED_S, type Work } from './work.ts'

/** A work that was asked for. */
export type Asked = Work & { runId: string; after: string[] }

const OPEN_RUNS = 24
const FILES = ['', '', 'f1', 'f2', 'f3']

/** Asks for work, steadily: single commands that the workers plan, graphs of steps, and requests that a model plans. */
export class Load {
  /** What the ledger has taken, by key. */
  readonly accepted = new Map<string, Asked>()
  /** What it may have taken: the answer was lost. */
  readonly unsure = new Map<string, Asked>()
  /** Runs that are to be cancelled or paused, and when. */
  readonly due: { at: number; runId: string; what: 'cancel' | 'pause' | 'resume' }[] = []
  refused = 0
  /** Nothing that takes long is asked for any more. */
  finishing = false
  readonly #deps: Deps
  readonly #stand: Stand
  readonly #random: Random
  readonly #requests: number
  #keys = 0

  /** `requests`: how likely it is that a model plans what is asked for. */
  constructor(deps: Deps, stand: Stand, random: Random, requests: number) {
    this.#deps = deps
    this.#requests = requests
    this.#stand = stand
    this.#random = random
    // What the model proposes may be taken or not.
    stand.thinker.onProposed = ({ work, after }, failed) => {
      const runId = (this.accepted.get(failed) ?? this.unsure.get(failed))?.runId ?? ''
      this.unsure.set(work.key, { ...work, after, runId })
    }
  }

  /** Asks for one more run, unless enough are open. */
  async more(): Promise<void> {
    const [row] = await this.#deps.db.query<{ open: number }>(
      "SELECT count(*)::int AS open FROM run WHERE status IN ('planning', 'awaiting_approval', 'running', 'paused', 'cancelling')",
    )
    if (!row || row.open >= OPEN_RUNS) return
    if (this.#random.chance(0.02)) await this.#askDenied()
    else if (this.#random.chance(this.#requests)) await this.#askRequest()
    else if (this.#random.chance(0.65)) await this.#askCommand()
    else await this.#askGraph()
  }

  #work(): Work {
    const random = this.#random
    const effect = random.chance(0.55) ? 'read' : 'write'
    const seconds = Number(this.#seconds(effect).toFixed(2))
    const few = Math.floor(random.between(0, 12))
    return {
      key: `t${++this.#keys}`,
      effect,
      seconds,
      lines: seconds >= PACED_S ? Math.ceil(seconds * 2) : random.chance(0.05) ? 4000 : few,
      dir: effect === 'write' ? random.pick(WORK_DIRS) : '',
      file: effect === 'write' ? random.pick(FILES) : '',
      code: random.chance(0.04) ? 3 : 0,
    }
  }

  /** Mostly short; a few go on while their agent is unheard of for long. */
  #seconds(effect: Work['effect']): number {
    const random = this.#random
    if (effect === 'write' && !this.finishing && random.chance(0.015)) return random.between(LONG_S, 30)
    return random.chance(0.1) ? random.between(1, 3) : random.between(0, 0.5)
  }

  #place(work: Work): { agentId: string; cwd: string; machine: Machine } {
    const machine = this.#random.pick(this.#stand.machines)
    return { machine, agentId: machine.agentId, cwd: `${this.#stand.work}/${work.dir || 'd0'}` }
  }

  async #askCommand(): Promise<void> {
    const work = { ...this.#work(), file: '' }
    const { agentId, cwd } = this.#place(work)
    await this.#create([{ work, after: [] }], commandOf(work), { agentId, cwd }, async () => {})
  }

  /** Two directories for all of them, so that looks before planning are few. Some of the works fail, for recovery. */
  async #askRequest(): Promise<void> {
    const dir = this.#random.pick(WORK_DIRS.slice(0, 2))
    const { agentId, cwd } = this.#place({ ...this.#work(), dir })
    const works = Array.from({ length: Math.floor(this.#random.between(1, 4)) }, (): Work => {
      const { key, effect } = this.#work()
      const code = codeOf(this.#random, effect)
      return { key, effect, seconds: 0.1, lines: 3, dir: effect === 'write' ? dir : '', file: '', code }
    })
    const steps: Step[] = works.map((work, i) => ({
      work,
      after: works.slice(0, i).flatMap(({ key }) => (this.#random.chance(0.4) ? [key] : [])),
    }))
    const request = this.#stand.thinker.request(steps)
    await this.#create(steps, request, { agentId, cwd }, async () => {}, 'request')
  }

  async #askDenied(): Promise<void> {
    const { agentId, cwd } = this.#place(this.#work())
    await this.#create([], 'rm -rf /', { agentId, cwd }, async () => {})
    this.refused++
  }

  async #askGraph(): Promise<void> {
    const count = Math.floor(this.#random.between(2, 6))
    const works = Array.from({ length: count }, () => this.#work())
    const steps = works.map((work, i) => ({
      work,
      after: works.slice(0, i).flatMap(({ key }) => (this.#random.chance(0.4) ? [key] : [])),
    }))
    const plan = PlanSpec.parse({
      version: 1,
      summary: 'a graph of steps',
      milestones: [],
      tasks: steps.map(({ work, after }) => this.#step(work, after)),
    })
    await this.#create(steps, 'a graph of steps', null, async (tx, runId) =>
      commitRevision(
        this.#deps,
        tx,
        runId,
        { plan, source: { kind: 'command' } },
        { machines: await listMachines(tx) },
      ),
    )
  }

  #step(work: Work, after: string[]) {
    const { agentId, cwd, machine } = this.#place(work)
    const late = this.#random.chance(0.02)
    return {
      key: work.key,
      title: work.key,
      depends_on: after,
      spec: {
        action: 'shell',
        params: { command: commandOf(late ? { ...work, seconds: 4, lines: 8 } : work) },
        agent_id: agentId,
        machine_id: machine.machineId,
        cwd: this.#random.chance(0.01) ? `${cwd}/nowhere` : cwd,
        required_files: work.file ? [`${cwd}/${work.file}`] : [],
        timeout_s: late ? 1 : 60,
        network: false,
      },
    }
  }

  async #create(
    steps: { work: Work; after: string[] }[],
    request: string,
    place: { agentId: string; cwd: string } | null,
    then: (tx: Parameters<Parameters<Deps['db']['tx']>[0]>[0], runId: string) => Promise<unknown>,
    kind: 'command' | 'request' = 'command',
  ): Promise<void> {
    let runId = ''
    const keep = (known: Map<string, Asked>) => {
      for (const { work, after } of steps) known.set(work.key, { ...work, after, runId })
    }
    try {
      await this.#deps.db.tx(async (tx) => {
        const run = { kind, request, personId: null, chat: null, place }
        runId = (await createRun(this.#deps, tx, run)).id
        await then(tx, runId)
      })
      keep(this.accepted)
      this.#disturb(runId, kind === 'request' ? 8000 : 1500)
    } catch (error) {
      if (runId) keep(this.unsure)
      throw error
    }
  }

  /** What takes long is cancelled, once the faults are over. */
  cancelLong(): void {
    const long = [...this.accepted.values(), ...this.unsure.values()].filter((work) => work.seconds >= LONG_S)
    for (const { runId } of long) this.due.push({ at: 0, runId, what: 'cancel' })
  }

  /** Some runs are cancelled or paused in the middle. */
  #disturb(runId: string, withinMs: number): void {
    const random = this.#random
    const at = performance.now() + random.between(0, withinMs)
    if (random.chance(0.15)) this.due.push({ at, runId, what: 'cancel' })
    if (!random.chance(0.04)) return
    this.due.push({ at, runId, what: 'pause' })
    this.due.push({ at: at + random.between(0, 1500), runId, what: 'resume' })
  }
}
