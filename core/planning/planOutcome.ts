import type { PlanSpec } from '../protocol/specs.ts'
import type { Estimate } from './estimate.ts'
import type { Pasted } from './readPasted.ts'
import type { Suggestion } from './suggestPlaybooks.ts'

/** What made a plan, and what that cost; `cost_usd` is null where it is not known. */
export type PlanSource =
  | {
      kind: 'playbook'
      name: string
      /** It was learned from a run: its name may be given to another playbook later. */
      learned?: true
      /** What the run it was learned from was planned with in view, and nobody here wrote. */
      from?: string[]
    }
  | {
      kind: 'model'
      provider: string
      model: string
      tokens_in: number
      tokens_out: number
      cost_usd: number | null
      ms: number
      /** What it was shown beside the request, and nobody here wrote: `log of #12`. */
      from?: string[]
      /** The run of the ledger that looked at the place before. */
      look?: string
      /** The memories that it was shown, by number. */
      memories?: number[]
      /** What the answer was expected to take, and what the one that made the plan took, in tokens. */
      estimate?: Estimate
      used?: number
    }
  /** `from`: its words came from there. */
  | { kind: 'command'; from?: string[] }
  /** A look at a place, taken before the run `for` was planned. */
  | { kind: 'look'; for: string }
  /** A program asked for exactly these tasks. */
  | { kind: 'api' }

export type PlanOutcome =
  | { kind: 'planned'; plan: PlanSpec; source: PlanSource }
  /** No playbook understood the request and there is no model; `nearest`: the three nearest playbooks; `pasted`: the log in it. */
  | { kind: 'unmatched'; nearest: Suggestion[]; hint: string; pasted?: Pasted }
  /** `reason` and `hint`, one line each for people: what is wrong, and what to do next; `details`: the exact fault. */
  | { kind: 'failed'; reason: string; hint: string; details?: string }
