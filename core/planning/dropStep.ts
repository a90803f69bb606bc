/** A step of a plan, as far as leaving one out is concerned. */
export type Step = { key: string; dependsOn: readonly string[] }

/** The steps that need a step, directly or through others, in the plan's order. Pure. */
export function stepsNeeding(steps: readonly Step[], key: string): string[] {
  const gone = new Set([key])
  for (let size = 0; size !== gone.size; ) {
    size = gone.size
    for (const step of steps) if (step.dependsOn.some((dep) => gone.has(dep))) gone.add(step.key)
  }
  return steps.map((step) => step.key).filter((one) => one !== key && gone.has(one))
}

/** The steps that can be left out of a plan: something is left to do without them and what needs them. Pure. */
export const droppableSteps = (steps: readonly Step[]): string[] =>
  steps.map((step) => step.key).filter((key) => stepsNeeding(steps, key).length + 1 < steps.length)

/** Why a step cannot be left out, such as "2 and 3 need it"; null when it can. Pure. */
export function whyNotDropped(steps: readonly Step[], key: string): string | null {
  if (!steps.some((step) => step.key === key)) return 'there is no such step'
  if (droppableSteps(steps).includes(key)) return null
  const needing = stepsNeeding(steps, key)
  return needing.length === 0 ? 'it is the only step' : `${listed(needing)} ${needs(needing)} it`
}

/** `2`, `2 and 3`, `2, 3 and 4`. Pure. */
export const listed = (keys: readonly string[]): string =>
  keys.length < 3 ? keys.join(' and ') : `${keys.slice(0, -1).join(', ')} and ${keys.at(-1)}`

/** The verb for them. Pure. */
export const needs = (keys: readonly string[]): string => (keys.length === 1 ? 'needs' : 'need')
