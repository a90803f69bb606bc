import type { EvalCase } from './evalCase.ts'
import { everydayCases } from './everydayCases.ts'
import { workCases } from './workCases.ts'

export type { EvalCase } from './evalCase.ts'

/** All requests of the evaluation. */
export const cases: readonly EvalCase[] = [
  ...everydayCases.map((one) => ({ ...one, everyday: true as const })),
  ...workCases,
]
