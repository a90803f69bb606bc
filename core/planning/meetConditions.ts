import type { LastTests } from './lastTests.ts'
import type { PlaceFacts } from './placeFacts.ts'
import type { Condition } from './playbook.ts'

/** What to do when no playbook helps. */
export const KEY_HINT =
  'For anything else, set a model: GOOGLE_AI_API_KEY or GROQ_API_KEY (both have free keys), or OLLAMA_BASE_URL, in .env; then start again.'
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

/** Whether the tests failed as a playbook wants it. Pure. */
export const meetsFailing = (text: string, tests: LastTests | null | undefined): boolean =>
  tests?.failed === true && tests.said.includes(text)

function failingUnmet(text: string, { lastTests: tests }: PlaceFacts): Unmet | null {
  if (meetsFailing(text, tests)) return null
  if (!tests)
    return { reason: 'it is not known how the tests fail here', hint: `Run the tests first. ${KEY_HINT}` }
  const reason = tests.failed
    ? 'no playbook mends what fails here, and no model is set'
    : 'the tests passed when they last ran here'
  return { reason, hint: KEY_HINT }
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
  const fine = condition.failing === undefined ? null : failingUnmet(condition.failing, place)
  if (fine) return fine
  if (condition.given && !given.has(condition.given))
    return { reason: `${condition.given} is not given`, hint: SAY }
  return condition.absent && given.has(condition.absent)
    ? { reason: `${condition.absent} is given`, hint: SAY }
    : null
}
