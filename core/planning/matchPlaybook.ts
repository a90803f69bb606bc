import { unmetCondition } from './meetConditions.ts'
import type { PlaceFacts } from './placeFacts.ts'
import { withoutPlace } from './placeWords.ts'
import type { Playbook, Values } from './playbook.ts'
import { readParameters } from './readParameters.ts'
import { tidyRequest } from './tidyRequest.ts'

/** Longer requests say more than a playbook can hear. */
const MAX_REQUEST = 400

export type Match = { playbook: Playbook; values: Values; given: ReadonlySet<string>; score: number }

/** Characters of the request that the trigger itself spells, not its parameters: what a match rests on. */
const spelt = (request: string, groups: Readonly<Record<string, string | undefined>>): number =>
  request.length - Object.values(groups).reduce((sum, text) => sum + (text?.length ?? 0), 0)

/** How one playbook understands a tidied request; null when it does not. The best of its triggers counts. Pure. */
export function matchOne(playbook: Playbook, request: string): Match | null {
  if (request.length > MAX_REQUEST || playbook.unless.some((veto) => veto.test(request))) return null
  const found = playbook.triggers.flatMap((trigger) => {
    const hit = trigger.exec(request)
    const read = hit && readParameters(playbook.parameters, hit.groups ?? {})
    return read ? [{ playbook, ...read, score: spelt(request, hit.groups ?? {}) }] : []
  })
  return found.sort((a, b) => b.score - a.score)[0] ?? null
}

/** As it stands, else without a final "in this repository": what a playbook means anyway. */
function matchHere(playbook: Playbook, request: string): Match | null {
  const whole = matchOne(playbook, request)
  const shorter = withoutPlace(request)
  if (whole || shorter === request || playbook.unless.some((veto) => veto.test(request))) return whole
  return matchOne(playbook, shorter)
}

/**
 * The playbook a request means: all of the request must be understood, by a trigger of a playbook offered at the
 * place. People's own playbooks go before built-in ones, then the one that spells more of the request. Pure.
 */
export function matchPlaybook(
  playbooks: readonly Playbook[],
  request: string,
  place: PlaceFacts,
): Match | null {
  const tidy = tidyRequest(request)
  const offered = playbooks.filter((p) => unmetCondition(p.only, place, new Set()) === null)
  const matches = offered.flatMap((playbook) => matchHere(playbook, tidy) ?? [])
  const rank = (a: Match, b: Match) => Number(b.playbook.own) - Number(a.playbook.own) || b.score - a.score
  return matches.sort(rank)[0] ?? null
}
