import type { PlaceFacts } from './placeFacts.ts'
import type { Condition } from './playbook.ts'

const SAY = 'Say the place with it, such as "in api on laptop", or choose one with /use.'

type Unmet = { reason: string; hint: string }

function repositoryUnmet(want: boolean | string, place: PlaceFacts): Unmet | null {
  const here = place.repository
  if (want === false) return here ? { reason: `${here.name} is a git repository`, hint: SAY } : null
  if (want === true && here) return null
  if (here && here.name === want) return null
  const known = place.repositories.map((r) => r.name).slice(0, 5)
  const which =
    known.length > 0
      ? `Repositories there: ${known.join(', ')}. ${SAY}`
      : `Make one there with: /run git init`
  return {
    reason: want === true ? `${place.cwd} is no git repository` : `this is for the repository ${want}`,
    hint: which,
  }
}

const list = (items: readonly string[]): string => items.join(' or ')

/**
 * The first part of a condition that does not hold, in words a person can act on; null when all holds. `given`:
 * names of the parameters that the request gave. Pure.
 */
export function unmetCondition(
  condition: Condition,
  place: PlaceFacts,
  given: ReadonlySet<string>,
): Unmet | null {
  const { repository, tool, script, platform, action } = condition
  const tools = place.repository?.test_tools ?? []
  const missing = repository === undefined ? null : repositoryUnmet(repository, place)
  if (missing) return missing
  if (tool && !tool.some((t) => (t === 'none' ? tools.length === 0 : tools[0] === t)))
    return { reason: `no ${list(tool)} project in ${place.cwd}`, hint: SAY }
  if (script && !script.some((s) => place.repository?.scripts.includes(s)))
    return { reason: `no package script ${list(script)} in ${place.cwd}`, hint: SAY }
  if (platform && !platform.some((p) => place.platform.startsWith(p)))
    return { reason: `${place.agentName} runs ${place.platform}, not ${list(platform)}`, hint: SAY }
  const unable = action?.find((a) => !place.capabilities.includes(a))
  if (unable) return { reason: `${place.agentName} cannot do ${unable}`, hint: SAY }
  if (condition.given && !given.has(condition.given))
    return { reason: `${condition.given} is not given`, hint: SAY }
  return condition.absent && given.has(condition.absent)
    ? { reason: `${condition.absent} is given`, hint: SAY }
    : null
}
