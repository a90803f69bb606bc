import { asksForMachines, type HelpTopic, readHelp, readSmall, type Small } from './chatter.ts'
import { plainText } from './plainText.ts'
import { withoutPoliteness } from './politeness.ts'
import { readQuestion, type Topic } from './questions.ts'
import { readSteering, type Steer } from './steering.ts'
import type { Target } from './target.ts'
import { mended } from './typos.ts'

/** What a text says to the bot. `request`: something to be done, or nothing that the rules know. */
export type Said =
  | { kind: 'steer'; what: Steer; target: Target; code: string | null }
  | { kind: 'question'; about: Topic; target: Target }
  | { kind: 'small'; what: Small }
  | { kind: 'help'; topic: HelpTopic }
  | { kind: 'machines' }
  | { kind: 'request' }

/**
 * What a text means, by rules alone. All of it has to be understood, politeness and slips of the thumb aside: one word
 * that is not (`stop the web server`), and it is a request. Whether there is a run to stop, or a place of the name, is
 * for the ledger to say. Pure; some microseconds.
 */
export function understand(text: string): Said {
  const plain = plainText(text)
  if (!plain) return { kind: 'request' }
  for (const words of waysToWrite(plain.words)) {
    const said = readAll(words)
    if (said) return said
  }
  return { kind: 'request' }
}

/** As it stands, with hyphens as spaces (`peux-tu`, which a machine's name may not be), and with slips mended. */
function waysToWrite(words: string): string[] {
  const spaced = words.replaceAll('-', ' ')
  const fixed = mended(spaced)
  return [...new Set([words, spaced, ...(fixed === null ? [] : [fixed])])]
}

function readAll(words: string): Said | null {
  for (const reading of withoutPoliteness(words)) {
    const said = readOne(reading)
    if (said) return said
  }
  return null
}

function readOne(words: string): Said | null {
  const small = readSmall(words)
  if (small) return { kind: 'small', what: small }
  const topic = readHelp(words)
  if (topic) return { kind: 'help', topic }
  if (asksForMachines(words)) return { kind: 'machines' }
  const steering = readSteering(words)
  if (steering) return { kind: 'steer', ...steering }
  const asked = readQuestion(words)
  return asked && { kind: 'question', ...asked }
}

/**
 * Whether a text asks to stop work, or to hold it: it is never held up and never counted. One that names a place is not
 * among them, since without that place it is a request. Pure.
 */
export const isStopWord = (text: string, words: readonly Steer[] = ['stop', 'pause', 'deny']): boolean => {
  const said = understand(text)
  return said.kind === 'steer' && words.includes(said.what) && said.target.place.length === 0
}
