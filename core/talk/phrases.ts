import { readTarget, type Target } from './target.ts'

/** Words that stand for the run inside a phrase; what they say is for `readTarget`. */
const SLOT = '[\\p{L}\\p{N}#._: -]{1,80}?'

/** `a|b (?:c|d)|e` at its outer bars. */
function alternatives(source: string): string[] {
  let depth = 0
  const parts = ['']
  for (const sign of source.replace(/\s*\n\s*/g, '')) {
    if (sign === '(') depth += 1
    if (sign === ')') depth -= 1
    if (sign === '|' && depth === 0) parts.push('')
    else parts[parts.length - 1] += sign
  }
  return parts.filter((part) => part !== '')
}

/**
 * Phrases as patterns. In them `~` is where the run may stand and may be left out, `!` where it has to be named. After
 * its last word each may name the run or its place (`put it on hold on laptop`).
 */
export const compilePhrases = (source: string): RegExp[] => alternatives(source).map(compile)

function compile(phrase: string): RegExp {
  let slots = 0
  const slot = (): string => `(?<t${++slots}>${SLOT})`
  const pattern = phrase
    .replace(/ ~/g, () => `(?: ${slot()})?`)
    .replace(/^~ /, () => `(?:${slot()} )?`)
    .replace(/ !\?/g, () => `(?: ${slot()})?`)
    .replace(/!/g, slot)
  return new RegExp(`^(?:${pattern})(?: (?<rest>${SLOT}))?$`, 'u')
}

/** People say `you` where the run is meant. */
const you = new Set(['you', 'u', 'we', 'they', 'things', 'du', 'ihr', 'anything'])

/** What of a phrase's words says which run is meant; null when one of them says something else. Pure. */
export function targetIn(groups: Record<string, string | undefined>): Target | null {
  const named = Object.entries(groups).flatMap(([key, value]) => (/^t\d/.test(key) && value) || [])
  return readTarget([...named.filter((one) => !you.has(one)), groups.rest ?? ''].join(' '))
}
