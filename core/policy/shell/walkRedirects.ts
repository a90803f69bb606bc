import type { Redirection } from 'unbash'
import { type Fact, noStdin, type Stdin } from '../facts.ts'
import { classifyPath, isNamedInside } from '../paths/classifyPath.ts'
import type { PolicyContext } from '../verdict.ts'
import { expandValue } from './expandWord.ts'
import { hasHole, NET_HOLE } from './marks.ts'
import type { ShellState } from './state.ts'
import { add, note, type Spot, textOf, type Walk } from './walk.ts'
import { expanderAt, visitExpansions } from './walkWords.ts'

/** Judges redirections, and answers what standard input is after them. */
export function walkRedirects(
  walk: Walk,
  redirects: readonly Redirection[],
  spot: Spot,
  state: ShellState,
): Stdin {
  return redirects.reduce((stdin, redirect) => walkRedirect(walk, redirect, spot, state) ?? stdin, spot.stdin)
}

function walkRedirect(walk: Walk, redirect: Redirection, spot: Spot, state: ShellState): Stdin | null {
  const text = textOf(spot, redirect)
  if (redirect.type === 'HereDoc') {
    if (!redirect.closing) add(walk, text, [{ effect: 'shell.syntax' }])
    visitExpansions(walk, redirect.body, spot, state)
    return { ...noStdin, given: true, text: redirect.body.text }
  }
  if (!redirect.target) add(walk, text, [{ effect: 'shell.syntax' }])
  const targets = redirect.target ? expandValue(redirect.target, expanderAt(walk, spot, state)) : []
  if (redirect.type === 'HereString') {
    note(walk, spot, redirect, 'shell.not-posix')
    return {
      ...noStdin,
      given: true,
      text: targets.length === 1 && !hasHole(targets[0] ?? '') ? (targets[0] ?? null) : null,
      network: targets.some((target) => target.includes(NET_HOLE)),
    }
  }
  add(
    walk,
    text,
    targets.flatMap((target) => redirectFacts(redirect.operator, target, state, walk.context)),
  )
  return redirect.operator === '<' || redirect.operator === '<>'
    ? { ...noStdin, given: true, network: targets.some((target) => target.includes(NET_HOLE)) }
    : null
}

function redirectFacts(operator: string, target: string, state: ShellState, context: PolicyContext): Fact[] {
  if (/^[<>]&$/.test(operator) && /^(\d+-?|-)$/.test(target)) return []
  if (/^\/dev\/(tcp|udp)\//.test(target)) return [{ effect: 'floor.reverse-shell', network: true }]
  const reads = operator === '<' || operator === '<&'
  if (!reads && isNamedInside(target, state.cwds, context))
    return [{ effect: 'fs.write', place: 'inside', unnamed: true }]
  const place = classifyPath(target, state.cwds, reads ? 'read' : 'write', context)
  return place === 'null' ? [] : [{ effect: reads ? 'fs.read' : 'fs.write', place }]
}
