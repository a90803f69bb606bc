import { fillPhrase } from './fillPhrase.ts'
import { matchPlaybook } from './matchPlaybook.ts'
import { unmetCondition } from './meetConditions.ts'
import type { PlaceFacts } from './placeFacts.ts'
import type { Playbook } from './playbook.ts'
import { readLoosely } from './readLoosely.ts'
import { tidyRequest } from './tidyRequest.ts'
import { corrected, rarityIn, TITLE, type Vocabulary, vocabularyOf } from './vocabulary.ts'
import { type Word, wordsOf } from './words.ts'

/**
 * A playbook to offer. `request`: a text that it understands, made of what the person wrote; null when it needs
 * details that are not there. `example`: a text that it understands, to show what those could be.
 */
export type Suggestion = { playbook: string; title: string; request: string | null; example: string }

/** What is offered when nothing is near: it only looks. The first that work at the place are taken. */
const always = ['repo-status', 'run-tests', 'machine-health', 'list-files', 'recent-commits']
/** Longer texts are no request for a playbook; their beginning says what they are about. */
const MAX_WORDS = 40
const NEAR = 0.3
const WEAK = 0.4

type Near = { playbook: Playbook; score: number; request: string | null }

/** A text the playbook understands, with what was read; null when it lacks a detail. Checked as if it were sent. */
function requestFor(
  playbook: Playbook,
  values: ReadonlyMap<string, string>,
  understands: (text: string, given: number) => boolean,
): string | null {
  const parameters = Object.entries(playbook.parameters)
  const needed = parameters.filter(
    ([, p]) => p.default === undefined || p.type === 'string' || p.type === 'text',
  )
  if (needed.some(([name]) => !values.has(name))) return null
  const texts = new Set(parameters.flatMap(([name, p]) => (p.type === 'text' ? [name] : [])))
  const filled = playbook.phrases
    .flatMap((phrase) => fillPhrase(phrase, values, texts) ?? [])
    .filter(({ used }) => needed.every(([name]) => used.includes(name)))
    .sort((a, b) => b.used.length - a.used.length)
    .filter(({ used }) => used.length > 0)
  const made = filled.find(({ text, used }) => understands(text, used.length))?.text
  const plain = needed.length > 0 ? [] : playbook.examples.match
  return made ?? plain.find((text) => understands(text, 0)) ?? null
}

function nearness(
  { playbook, roots }: Vocabulary,
  words: readonly Word[],
  rarity: (root: string) => number,
  request: (left: readonly Word[]) => { request: string | null; filled: boolean },
): Near | null {
  const weigh = (word: Word) => (word.weak ? WEAK : rarity(word.root))
  const known = words.filter((word) => roots.has(word.root))
  const left = words.filter((word) => !roots.has(word.root))
  const made = request(left)
  const topic = known.some((word) => !word.weak && roots.get(word.root)?.topic)
  const sameVerb = known.some((word) => roots.get(word.root)?.weight === TITLE)
  if (!topic && !(sameVerb && (made.filled || words.every((word) => word.weak)))) return null
  const read = made.filled && made.request !== null
  const shared = known.reduce((sum, word) => sum + weigh(word) * (roots.get(word.root)?.weight ?? 0), 0)
  const score = shared / (read ? known : words).reduce((sum, word) => sum + weigh(word), 0)
  return score < NEAR ? null : { playbook, score, request: made.request }
}

/**
 * At most `count` playbooks near to a request that none understood, of those that work at the place. Where none is
 * near, those that are useful anywhere and only look. Pure.
 */
export function suggestPlaybooks(
  playbooks: readonly Playbook[],
  request: string,
  place: PlaceFacts,
  count = 3,
): Suggestion[] {
  const works = playbooks.filter((p) =>
    [p.only, p.requires].every((condition) => unmetCondition(condition, place, new Set()) === null),
  )
  const all = works.map(vocabularyOf)
  const tidy = tidyRequest(request)
  const words = corrected(wordsOf(request).slice(0, MAX_WORDS), all)
  const rarity = rarityIn(all)
  const near = all.flatMap((one) => {
    const understands = (text: string, given: number) => {
      const match = matchPlaybook(playbooks, text, place)
      return match?.playbook === one.playbook && match.given.size === given
    }
    const made = (left: readonly Word[]) => {
      const values = readLoosely(one.playbook, tidy, left)
      return {
        request: requestFor(one.playbook, values, understands),
        filled: values.size > 0 && !one.playbook.unless.some((veto) => veto.test(tidy)),
      }
    }
    return nearness(one, words, rarity, made) ?? []
  })
  const found = near.sort((a, b) => b.score - a.score).slice(0, count)
  return found.length > 0 ? found.map(suggestion) : useful(works).slice(0, count)
}

const suggestion = ({ playbook: { name, title, examples }, request }: Omit<Near, 'score'>): Suggestion => ({
  playbook: name,
  title,
  request,
  example: request ?? examples.match[0] ?? title,
})

const useful = (works: readonly Playbook[]): Suggestion[] =>
  always.flatMap((name) => {
    const playbook = works.find((p) => p.name === name)
    return playbook ? suggestion({ playbook, request: playbook.examples.match[0] ?? null }) : []
  })
