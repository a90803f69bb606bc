import type { ModelSettings, ProviderSettings } from '../config/model.ts'
import { callModel } from './callModel.ts'
import type { Model } from './model.ts'

function modelOf(at: ProviderSettings): Model {
  return { provider: at.name, model: at.models[0], complete: (req) => callModel(at, req) }
}

/**
 * The language model to plan with: the first provider of the settings. Null when none is set up. Opens no
 * connection; a wrong key shows at the first question.
 */
export async function openModel(settings: ModelSettings): Promise<Model | null> {
  const [first] = settings.providers
  return first ? modelOf(first) : null
}
