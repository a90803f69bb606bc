import { unmetCondition } from './meetConditions.ts'
import type { PlaceFacts } from './placeFacts.ts'
import type { Playbook } from './playbook.ts'
import { tidyRequest } from './tidyRequest.ts'

/** A playbook to offer; `example` is a request that it understands. */
export type Suggestion = { playbook: string; title: string; example: string }

/** Letter triples of the words, so that endings and slips of the thumb count little. */
function grams(text: string): Set<string> {
  const words =
    tidyRequest(text)
      .toLowerCase()
      .match(/[\p{L}\p{N}]+/gu) ?? []
  return new Set(
    words.flatMap((word) =>
      [...` ${word} `].flatMap((_, i, all) => (i + 2 < all.length ? all.slice(i, i + 3).join('') : [])),
    ),
  )
}

/** Sørensen-Dice: 0 nothing in common, 1 the same. */
function similarity(a: ReadonlySet<string>, b: ReadonlySet<string>): number {
  const shared = [...a].filter((gram) => b.has(gram)).length
  return a.size + b.size === 0 ? 0 : (2 * shared) / (a.size + b.size)
}

function nearestExample(playbook: Playbook, wanted: ReadonlySet<string>): { example: string; score: number } {
  const about = similarity(wanted, grams(`${playbook.title} ${playbook.description}`)) * 0.9
  const scored = playbook.examples.match.map((example) => ({
    example,
    score: similarity(wanted, grams(example)),
  }))
  const best = scored.reduce((a, b) => (b.score > a.score ? b : a), {
    example: playbook.examples.match[0] ?? playbook.title,
    score: 0,
  })
  return { example: best.example, score: Math.max(best.score, about) }
}

/** The `count` playbooks nearest to a request that none understood, of those that can work at the place. Pure. */
export function suggestPlaybooks(
  playbooks: readonly Playbook[],
  request: string,
  place: PlaceFacts,
  count = 3,
): Suggestion[] {
  const wanted = grams(request)
  const offered = playbooks.filter((p) => unmetCondition(p.only, place, new Set()) === null)
  const works = offered.filter((p) => unmetCondition(p.requires, place, new Set()) === null)
  return [works, offered.filter((p) => !works.includes(p))]
    .flatMap((group) =>
      group.map((p) => ({ p, ...nearestExample(p, wanted) })).sort((a, b) => b.score - a.score),
    )
    .slice(0, count)
    .map(({ p, example }) => ({ playbook: p.name, title: p.title, example }))
}
