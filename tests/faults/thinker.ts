import type { ModelReply } from '../support/modelServer.ts'
import { draft, draftStep } from '../support/scriptedModel.ts'
import type { Random } from './random.ts'
import { commandOf, keyOf, ONCE_CODE, type Work } from './work.ts'

/** A step of a plan: a work, and the keys of those before it. */
export type Step = { work: Work; after: string[] }
/** What the model proposed in place of a failed work. */
export type Proposal = { failed: string; keys: readonly string[] }

/** Of a hundred questions, how many are answered badly, and how many late. */
const PERCENT_BAD = 6
const PERCENT_LATE = 12
/** Of a hundred ways around a failure, how many fail as well, and how many failures have none. */
const PERCENT_FAILING = 25
const PERCENT_HOPELESS = 8

const requestIn = /name="request">\s*zap (q\d+)\s*</
const failedIn = /name="failed step">([\s\S]*?)<\/data-/
const commandIn = /"command": "([^"]*)"/

/**
 * The language model of the system under test: an OpenAI-compatible server asks it for each reply. A request that it
 * knows always gets the same plan, whoever asks for it how often; a failure gets works that were never proposed before,
 * so that the ledger shows which answer was taken. Now and then it is late, refuses, breaks off or talks nonsense.
 */
export class Thinker {
  readonly proposals: Proposal[] = []
  readonly counts = { plans: 0, ways: 0, hopeless: 0, bad: 0 }
  /** It answers at once and well, and what it proposes works. */
  finishing = false
  readonly #plans = new Map<string, readonly Step[]>()
  readonly #known = new Map<string, Work>()
  readonly #random: Random
  /** Told of each work that it proposes in place of another. */
  onProposed: (step: Step, failed: string) => void = () => {}
  #made = 0

  constructor(random: Random) {
    this.#random = random
  }

  /** The request that gets this plan. */
  request(steps: readonly Step[]): string {
    const name = `q${this.#plans.size + 1}`
    this.#plans.set(name, steps)
    for (const { work } of steps) this.#known.set(work.key, work)
    return `zap ${name}`
  }

  reply(user: string): ModelReply {
    const answer = this.#answer(user)
    if (this.finishing || answer.kind !== 'answer') return answer
    const random = this.#random
    if (random.chance(PERCENT_LATE / 100))
      return { kind: 'slow', ms: random.between(500, 3000), reply: answer }
    if (!random.chance(PERCENT_BAD / 100)) return { kind: 'slow', ms: random.between(0, 300), reply: answer }
    this.counts.bad++
    return random.pick<ModelReply>([
      { kind: 'error', status: 500 },
      { kind: 'refusal', text: 'I would rather not.' },
      { kind: 'invalid' },
      { kind: 'empty' },
      { kind: 'cut' },
      { kind: 'answer', content: 'Surely! First of all' },
    ])
  }

  #answer(user: string): ModelReply {
    const command = commandIn.exec(failedIn.exec(user)?.[1] ?? '')?.[1]
    if (command !== undefined) return this.#otherWay(keyOf(command) ?? '')
    const steps = this.#plans.get(requestIn.exec(user)?.[1] ?? '')
    if (!steps) return { kind: 'error', status: 500, message: 'nobody asked for that' }
    this.counts.plans++
    return answerOf(steps)
  }

  #otherWay(failed: string): ModelReply {
    const random = this.#random
    const work = this.#known.get(failed)
    if (!work) return { kind: 'error', status: 500, message: `${failed} is no work of a request` }
    if (!this.finishing && random.chance(PERCENT_HOPELESS / 100)) {
      this.counts.hopeless++
      return { kind: 'answer', content: draft('Nothing', [], 'Nobody can mend this.') }
    }
    const first = { work: this.#inPlaceOf(work), after: [] }
    const second = { work: this.#inPlaceOf(work), after: [first.work.key] }
    const steps = random.chance(0.3) ? [first, second] : [first]
    for (const step of steps) {
      this.#known.set(step.work.key, step.work)
      this.onProposed(step, failed)
    }
    this.proposals.push({ failed, keys: steps.map((step) => step.work.key) })
    this.counts.ways++
    return answerOf(steps)
  }

  #inPlaceOf({ dir }: Work): Work {
    const random = this.#random
    const effect = random.chance(0.6) ? 'write' : 'read'
    return {
      ...{ key: `w${++this.#made}`, effect, seconds: 0.1, lines: Math.floor(random.between(0, 5)) },
      ...{ dir: effect === 'write' ? dir : '', file: '' },
      code: !this.finishing && random.chance(PERCENT_FAILING / 100) ? 3 : 0,
    }
  }
}

const answerOf = (steps: readonly Step[]): ModelReply => ({
  kind: 'answer',
  content: draft(
    'What was asked for',
    steps.map(({ work, after }) => draftStep(work.key, commandOf(work), after)),
  ),
  parts: 3,
})

/** How a work of a request ends: most well; some fail for good, some only the first time, by a network that was away. */
export function codeOf(random: Random, effect: Work['effect']): number {
  if (random.chance(0.6)) return 0
  return effect === 'read' && random.chance(0.15) ? ONCE_CODE : 3
}
