import type { ModelSettings } from '../config/model.ts'
import { modelError } from './explainFault.ts'
import { ModelError, type ModelFault } from './model.ts'

/** The answer that helps most: what the owner can mend before what passes by itself. */
const telling: readonly ModelFault[] = [
  'budget',
  'refused',
  'cut',
  'key',
  'unknown_model',
  'request',
  'schema',
  'quota',
]

/** So many are told each in a few words: a card has a few lines. */
const MOST = 3
const MAX_DETAILS = 2000

/**
 * Of all that went wrong with a question, what to tell: of one its own sentence, of several each in a few words, what
 * can be mended first and with its hint. The whole of it is in `details`. Pure.
 */
export function mostTelling(errors: readonly ModelError[], settings: ModelSettings): ModelError {
  const last = errors.at(-1)
  const [at] = settings.providers
  if (!last) {
    if (!at) throw new Error('no provider is set up')
    return modelError('timeout', { ...at, model: at.models[0] }, settings.timeoutMs / 1000)
  }
  const found = telling.map((fault) => errors.find((error) => error.fault === fault)).find(Boolean) ?? last
  const each = new Map([...errors, found].map((error) => [error.by ?? error.brief, error.brief]))
  const briefs = [...new Set([found.brief, ...each.values()])]
  if (briefs.length === 1 || found.fault === 'refused' || found.fault === 'budget') return found
  const more = briefs.length > MOST ? `; ${briefs.length - MOST} more could not answer either` : ''
  const details = [...new Set(errors.map(({ message }) => message))].join(' ').slice(0, MAX_DETAILS)
  return new ModelError(found.fault, `${briefs.slice(0, MOST).join('; ')}${more}.`, found.hint, {
    retryAfterMs: found.retryAfterMs,
    details,
  })
}
