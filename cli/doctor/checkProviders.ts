import { messageOf } from '../../core/config/logger.ts'
import { type ProviderSettings, readModelSettings } from '../../core/config/model.ts'
import type { Env } from '../../core/config/settings.ts'
import { type Finding, note, ok, wrong } from './finding.ts'

const TIMEOUT_MS = 6000

/** Each language model that takes part answers and takes its key. Asks for the list of models: that costs nothing. */
export async function checkProviders(env: Env): Promise<Finding[]> {
  const { providers } = readModelSettings(env)
  if (providers.length === 0)
    return [
      note('providers', 'none: playbooks plan alone. GOOGLE_AI_API_KEY or another key adds a language model'),
    ]
  return Promise.all(providers.map(checkProvider))
}

async function checkProvider(at: ProviderSettings): Promise<Finding> {
  try {
    const status = await askModels(at)
    if (status === 401 || status === 403 || status === 400)
      return wrong(
        'providers',
        `${at.label} does not take the key (${status})`,
        `Set ${at.keySetting} to a valid one.`,
      )
    if (status >= 500)
      return wrong(
        'providers',
        `${at.label} has trouble of its own (${status})`,
        'Wait, or put another first in AI_PROVIDER_PRIORITY.',
      )
    return ok('providers', `${at.label} answers, ${at.models[0]}`)
  } catch (error) {
    const why = messageOf(error instanceof Error && error.cause ? error.cause : error)
    const mend = `Check the network and ${at.name.toUpperCase()}_BASE_URL.`
    return wrong('providers', `${at.label} at ${new URL(at.baseUrl).host} does not answer (${why})`, mend)
  }
}

async function askModels(at: ProviderSettings): Promise<number> {
  const key = at.apiKey
  const headers = key
    ? {
        authorization: `Bearer ${key}`,
        ...(at.name === 'claude' ? { 'x-api-key': key, 'anthropic-version': '2023-06-01' } : {}),
      }
    : {}
  const answer = await fetch(`${at.baseUrl.replace(/\/+$/, '')}/models`, {
    headers,
    signal: AbortSignal.timeout(TIMEOUT_MS),
  })
  await answer.body?.cancel()
  return answer.status
}
