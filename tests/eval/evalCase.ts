import type { Check } from './checks.ts'
import type { MachineName } from './machines.ts'

export type EvalCase = {
  request: string
  on: MachineName
  checks: Check[]
  /** Everyday work that the built-in playbooks plan without a model. */
  everyday?: true
  /** A plan that a good planner could make, as a model would answer: shows that the checks can be met. Null: there is none. */
  good?: object | null
  /** Other words for the same request. */
  alike?: string[]
}
