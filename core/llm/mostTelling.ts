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

/** Of all that went wrong with a question, the one to tell, with how many more there were. Pure. */
export function mostTelling(errors: readonly ModelError[], settings: ModelSettings): ModelError {
  const last = errors.at(-1)
  const [at] = settings.providers
  if (!last) {
    if (!at) throw new Error('no provider is set up')
    return modelError('timeout', { ...at, model: at.models[0] }, settings.timeoutMs / 1000)
  }
  const found = telling.map((fault) => errors.find((error) => error.fault === fault)).find(Boolean) ?? last
  const others = new Set(errors.map(({ message }) => message)).size - 1
  return others === 0 || found.fault === 'refused' || found.fault === 'budget'
    ? found
    : new ModelError(found.fault, `${found.message} ${others} more could not answer either.`, found.hint)
}
