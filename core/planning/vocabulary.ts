import type { Playbook } from './playbook.ts'
import { isSlip, rootOf, saysNothing, type Word, wordsOf } from './words.ts'

/** A word of the title tells more than one of the triggers. */
export const TITLE = 1.25

/** What a playbook is about: the roots of its title and triggers. `topic`: one that a request for it would have. */
export type Vocabulary = {
  playbook: Playbook
  roots: ReadonlyMap<string, { topic: boolean; weight: number }>
}

/** Words of a phrase, apart from its slots; those that may be missing are no topic. */
function phraseWords(phrase: string): { must: string[]; may: string[] } {
  const plain = phrase.replace(/\\.|\(\?<\w+>|\(\?[:!=]|\{[^{}]*\}/g, ' ')
  const optional = plain.match(/\[[^\]]*\]/g) ?? []
  const words = (text: string) =>
    (text.match(/[\p{L}][\p{L}\p{N}-]+/gu) ?? []).filter((word) => !saysNothing(word.toLowerCase()))
  return { must: words(plain.replace(/\[[^\]]*\]/g, ' ')), may: optional.flatMap(words) }
}

/** The vocabulary of a playbook. Pure. */
export function vocabularyOf(playbook: Playbook): Vocabulary {
  const roots = new Map<string, { topic: boolean; weight: number }>()
  const learn = (words: readonly string[], topic: boolean, weight: number): void => {
    for (const word of words) {
      const { root, weak } = rootOf(word.toLowerCase())
      const known = roots.get(root)
      if (!known || known.weight < weight)
        roots.set(root, { topic: (topic && !weak) || known?.topic === true, weight })
    }
  }
  learn(
    wordsOf(playbook.title).map((word) => word.text),
    true,
    TITLE,
  )
  for (const { must, may } of playbook.phrases.map(phraseWords)) {
    learn(must, true, 1)
    learn(may, false, 0.5)
  }
  return { playbook, roots }
}

/** How rare a root is among the playbooks: one that many have says little. */
export function rarityIn(all: readonly Vocabulary[]): (root: string) => number {
  return (root) => Math.log((all.length + 1) / Math.max(1, all.filter(({ roots }) => roots.has(root)).length))
}

/** The words with slips of the thumb put right, where a playbook knows what must be meant. */
export function corrected(words: readonly Word[], all: readonly Vocabulary[]): Word[] {
  const known = [...new Set(all.flatMap(({ roots }) => [...roots.keys()]))]
  return words.map((word) => {
    if (known.includes(word.root)) return word
    const meant = known.find((root) => isSlip(word.root, root))
    return meant === undefined ? word : { ...word, ...rootOf(meant) }
  })
}
