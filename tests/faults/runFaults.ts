import { setTimeout as delay } from 'node:timers/promises'
import { Failpoints } from './failpoints.ts'
import { missing, type World } from './faults.ts'
import { histories } from './histories.ts'
import { type Figures, Judge, type Verdict } from './judge.ts'
import { type Lane, lanesOf, Taken } from './lanes.ts'
import { Load } from './load.ts'
import type { PartEnd } from './part.ts'
import { Person } from './person.ts'
import { type Random, randomFrom } from './random.ts'
import { Recovery, type Sample, type Scope } from './recovery.ts'
import { type Backend, Stand } from './stand.ts'
import type { Thinker } from './thinker.ts'

export type Options = {
  seconds: number
  seed: number
  backend: Backend
  /** Kinds of faults; none: all of them. */
  only: readonly string[]
  /** Failpoints whose names begin so; none: all of them. */
  at: readonly string[]
  /** Ends sooner, once so many of them were injected. */
  count: number
  /** How many of a hundred things asked for a model plans. */
  requests: number
  /** How many faults that last there are at a time. */
  lanes: number
  tell(line: string): void
}
export type Outcome = {
  options: Options
  figures: Figures
  verdict: Verdict
  faults: Map<string, number>
  points: Failpoints
  samples: readonly Sample[]
  reviews: number
  /** Parts that ended by themselves although nobody had killed them. */
  died: string[]
  missing: string[]
  /** What the language model did. */
  thoughts: Thinker['counts']
  dir: string
  history: string[]
}

/** After the last recovery everything that can end does: what has not moved for so long is stuck, or what never ends. */
const SETTLE_MS = 15_000
const END_MS = 180_000
const PERCENT_REPEATED = 4
/** Whoever dies at a failpoint comes back to die at another so often; always where faults were chosen. */
const REARMED = 0.5
/** How often the next fault waits for the work that the last one met, and how long at most. */
const PATIENCE = 0.5
const PATIENCE_MS = 4000
/** Work that takes long has ended by itself when this has passed. */
const LONG_WORK_MS = 32_000

/** Runs SKYNET under load and faults for `seconds`, lets it settle, and judges what it did. */
export async function runFaults(options: Options): Promise<Outcome> {
  const run = new FaultRun(options)
  return run.run()
}

class FaultRun {
  readonly #options: Options
  readonly #points: Failpoints
  readonly #faults = new Map<string, number>()
  readonly #died: string[] = []
  readonly #stand: Stand
  readonly #random: Random
  readonly #busy = new Set<Promise<void>>()
  readonly #taken = new Taken()
  #recovery: Recovery | null = null
  #until = 0
  #injected = 0

  constructor(options: Options) {
    this.#options = options
    this.#points = new Failpoints(randomFrom(options.seed + 4), options.at)
    this.#random = randomFrom(options.seed + 2)
    this.#stand = new Stand(options.backend, this.#random, (end) => this.#ended(end))
  }

  async run(): Promise<Outcome> {
    const { seconds, seed, only, lanes, requests, tell } = this.#options
    const stand = this.#stand
    let keep = true
    try {
      await stand.start()
      const judge = new Judge(stand.db, stand.effects, stand.thinker.proposals)
      const { deps } = stand.control
      const load = new Load(deps, stand, randomFrom(seed + 1), requests / 100)
      const client = await stand.client(randomFrom(seed + 5))
      const person = new Person(deps.db, client, load, randomFrom(seed + 3))
      const recovery = new Recovery(stand.db)
      this.#recovery = recovery
      this.#until = performance.now() + seconds * 1000
      const ended = new AbortController()
      const loops = [
        this.#every(60, ended.signal, () => this.#ask(load)),
        this.#every(150, ended.signal, () => person.look()),
        this.#every(100, ended.signal, () => recovery.look()),
        this.#every(700, ended.signal, () => judge.look()),
      ]
      for (const replayer of stand.replayers) replayer.percent = PERCENT_REPEATED
      await Promise.all(lanesOf(only, lanes, seed).map((lane) => this.#inject(lane)))
      tell('the faults are over; what is left is settling')
      load.cancelLong()
      person.finishing = true
      stand.thinker.finishing = true
      await this.#calm(judge)
      ended.abort()
      await Promise.all(loops)
      const figures = await judge.settle(load, person)
      this.#count('reports and dispatches sent twice', sum(stand.replayers.map((r) => r.twice)))
      this.#count('old reports and dispatches sent again', sum(stand.replayers.map((r) => r.again)))
      const broken = Object.values(judge.verdict).some((lines) => lines.length > 0)
      keep = broken || this.#died.length > 0
      return {
        options: this.#options,
        figures,
        verdict: judge.verdict,
        faults: this.#faults,
        points: this.#points,
        samples: recovery.samples,
        reviews: person.reviews,
        died: this.#died,
        missing: missing(stand),
        thoughts: stand.thinker.counts,
        dir: stand.dir,
        history: await histories(stand.db, judge.verdict),
      }
    } finally {
      await stand.stop(keep)
    }
  }

  #isOver(): boolean {
    return performance.now() > this.#until
  }

  async #ask(load: Load): Promise<void> {
    load.finishing = performance.now() > this.#until - LONG_WORK_MS
    if (!this.#isOver()) await load.more()
  }

  /** Does something again and again; what fails meanwhile fails because of a fault, and is tried again. */
  async #every(ms: number, ended: AbortSignal, act: () => Promise<void>): Promise<void> {
    while (!ended.aborted) {
      await act().catch((error: Error) => {
        if (process.env.TEST_LOG) this.#options.tell(`meanwhile: ${error.message}`)
      })
      await delay(ms)
    }
  }

  async #inject({ faults, random, least, most }: Lane): Promise<void> {
    const world: Omit<World, 'take'> = {
      stand: this.#stand,
      random,
      points: this.#points,
      arms: this.#chose('points'),
    }
    while (!this.#isOver()) {
      await delay(random.between(least, most))
      if (this.#isOver()) return
      const fault = random.weighted(faults)
      const isPatient = random.chance(PATIENCE)
      const done = await this.#taken.inject(fault, world)
      if (!done) continue
      this.#count(fault.name, 1)
      this.#reached()
      this.#options.tell(`${fault.name}: ${done.what}`)
      await this.#affected(fault.name, done.scope)
      if (isPatient) await this.#moved(PATIENCE_MS)
    }
  }

  #chose(kind: string): boolean {
    const { only } = this.#options
    return only.length === 0 || only.includes(kind)
  }

  /** One more of the faults that were asked for. */
  #reached(): void {
    if (++this.#injected >= this.#options.count) this.#until = Math.min(this.#until, performance.now())
  }

  /** Waits until the work that faults met has moved on. */
  async #moved(ms: number): Promise<void> {
    const deadline = performance.now() + ms
    while ((this.#recovery?.waiting.length ?? 0) > 0 && performance.now() < deadline) await delay(50)
  }

  #ended({ part, how, what }: PartEnd): void {
    if (how === 'failpoint') {
      this.#points.hit(part.kind, what)
      this.#count('kill -9 at a failpoint', 1)
      if (this.#chose('points')) this.#reached()
      this.#options.tell(`failpoint ${what}: ${part.name}`)
      const machine = this.#stand.machines.find((m) => m.part === part)
      const done = this.#affected(`failpoint ${part.kind}`, machine ? [machine.agentId] : null)
      const again = this.#options.only.length > 0 ? 1 : REARMED
      if (!this.#isOver() && this.#random.chance(again)) part.arm(this.#points.next(part.kind))
      this.#busy.add(done)
      void done.finally(() => this.#busy.delete(done))
    } else if (how === 'died') {
      this.#died.push(`${part.name} (${what})`)
      this.#options.tell(`${part.name} ended by itself: ${what}`)
    }
  }

  async #affected(fault: string, scope: Scope): Promise<void> {
    for (let tries = 0; tries < 50; tries++) {
      try {
        return await this.#recovery?.from(fault, scope)
      } catch {
        await delay(100) // the database is away as well
      }
    }
  }

  #count(name: string, by: number): void {
    this.#faults.set(name, (this.#faults.get(name) ?? 0) + by)
  }

  /** Ends the faults for good, and waits until nothing is open; what still is then, is stuck. */
  async #calm(judge: Judge): Promise<void> {
    const stand = this.#stand
    for (const replayer of stand.replayers) replayer.percent = 0
    for (const part of stand.parts) {
      if (part.armed.length === 0) continue
      part.armed = []
      await part.kill()
    }
    await Promise.all(this.#busy)
    await stand.connected()
    judge.verdict.stuck.push(...(await this.#settled(() => judge.open())))
    judge.verdict.forgotten.push(...(await this.#settled(() => judge.mind.forgotten())))
  }

  /** Waits until nothing is left, or what is left does not change any more. */
  async #settled(look: () => Promise<string[]>): Promise<string[]> {
    const end = performance.now() + END_MS
    let left = await look()
    for (let moved = performance.now(); left.length > 0; ) {
      if (performance.now() > Math.min(moved + SETTLE_MS, end)) break
      await delay(100)
      const now = await look().catch(() => left)
      if (now.join() !== left.join()) moved = performance.now()
      left = now
    }
    return left
  }
}

const sum = (numbers: number[]): number => numbers.reduce((a, b) => a + b, 0)
