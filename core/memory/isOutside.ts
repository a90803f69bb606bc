import { originsOf } from '../planning/untrusted.ts'
import type { PastRun } from './pastRun.ts'

/** A person's own words are one line of at most so many letters; a longer text may have been pasted from anywhere. */
export const OWN_WORDS = 300

/** Whether a text is short enough to be somebody's own words. Pure. */
export const isOwnWords = (text: string): boolean => text.length <= OWN_WORDS && !text.trim().includes('\n')

type Words = Pick<PastRun, 'personId' | 'request' | 'source'> &
  Partial<Pick<PastRun, 'changedByOthers' | 'forwarded'>>

/**
 * Whether the words that a run has came from elsewhere: a program's, pasted or forwarded ones, those of somebody else who changed its
 * plan, or those of a plan that was made with text from elsewhere in view (docs/adr/0020). Pure.
 */
export const isOutside = (run: Words): boolean =>
  run.personId === null ||
  run.changedByOthers === true ||
  run.forwarded === true ||
  !isOwnWords(run.request) ||
  run.source?.kind === 'api' ||
  originsOf(run.source).length > 1
