import type { ModelSettings, ProviderSettings } from '../config/model.ts'
import { redactor } from '../redaction/redact.ts'
import { callModel } from './callModel.ts'
import type { Model } from './model.ts'

type Redact = (text: string) => string

function modelOf(at: ProviderSettings, redact: Redact): Model {
  return { provider: at.name, model: at.models[0], complete: (req) => callModel(at, req, redact) }
}

/**
 * The language model to plan with: the first provider of the settings. Null when none is set up. Opens no
 * connection; a wrong key shows at the first question. What is asked is redacted of `secrets` and all that looks like one.
 */
export async function openModel(
  settings: ModelSettings,
  secrets: readonly string[] = [],
): Promise<Model | null> {
  const [first] = settings.providers
  return first ? modelOf(first, redactor([...secrets, first.apiKey ?? ''])) : null
}
