import { z } from 'zod'
import { messageOf } from '../../core/config/logger.ts'
import { labelOf, type ProviderSettings, readModelSettings } from '../../core/config/model.ts'
import type { Env } from '../../core/config/settings.ts'
import { recentFaults } from '../../core/llm/callLedger.ts'
import { endWords } from '../../core/llm/callWords.ts'
import { waitWords } from '../../core/llm/explainFault.ts'
import { HealthBook } from '../../core/llm/health.ts'
import { readUsage } from '../../core/llm/readUsage.ts'
import type { Sql } from '../../core/storage/sql.ts'
import { type Finding, look, note, ok, wrong } from './finding.ts'

const TIMEOUT_MS = 6000

/** Each language model that takes part answers and takes its key. Asks for the list of models: that costs nothing. */
export async function checkProviders(env: Env): Promise<Finding[]> {
  const { providers } = readModelSettings(env)
  if (providers.length === 0)
    return [
      note('providers', 'none: playbooks plan alone. GOOGLE_AI_API_KEY or another key adds a language model'),
    ]
  return Promise.all(providers.map(async (at) => ({ ...(await checkProvider(at)), about: at.label })))
}

async function checkProvider(at: ProviderSettings): Promise<Finding> {
  try {
    const { status, models } = await askModels(at)
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
    return knows(at, models)
  } catch (error) {
    const why = messageOf(error instanceof Error && error.cause ? error.cause : error)
    const mend = `Check the network and ${at.name.toUpperCase()}_BASE_URL.`
    return wrong('providers', `${at.label} at ${new URL(at.baseUrl).host} does not answer (${why})`, mend)
  }
}

/** Whether the models that are to be asked are among those it has; Google names them with a folder. */
function knows(at: ProviderSettings, models: readonly string[]): Finding {
  const has = new Set(models.map((id) => id.replace(/^models\//, '')))
  const missing = has.size === 0 ? [] : at.models.filter((model) => !has.has(model))
  if (missing.length === 0) return ok('providers', `${at.label} answers now, ${at.models[0]}`)
  const names = missing.join(', ')
  const setting = `${at.name.toUpperCase()}_MODEL`
  return missing.includes(at.models[0])
    ? wrong('providers', `${at.label} does not have the model ${names}`, `Set ${setting} to one it has.`)
    : look('providers', `${at.label} answers now, ${at.models[0]}; it does not have ${names}`)
}

type Listed = { status: number; models: string[] }
const Models = z.object({ data: z.array(z.object({ id: z.string() })) })

async function askModels(at: ProviderSettings): Promise<Listed> {
  const key = at.apiKey
  const headers = key
    ? {
        authorization: `Bearer ${key}`,
        ...(at.name === 'claude' ? { 'x-api-key': key, 'anthropic-version': '2023-06-01' } : {}),
      }
    : {}
  const answer = await fetch(`${at.baseUrl.replace(/\/+$/, '')}/models?limit=1000`, {
    headers,
    signal: AbortSignal.timeout(TIMEOUT_MS),
  })
  const listed = Models.safeParse(await answer.json().catch(() => null))
  return { status: answer.status, models: listed.success ? listed.data.data.map(({ id }) => id) : [] }
}

/** What the record of the last hour and of today says of them. */
export async function checkModelUse(sql: Sql): Promise<Finding[]> {
  const [{ today }, recent] = await Promise.all([readUsage(sql, 1), recentFaults(sql, 3_600_000, Date.now())])
  if (today.calls === 0) return []
  const book = new HealthBook()
  for (const seen of recent) book.note(seen)
  const tokens = Math.round((today.tokensIn + today.tokensOut) / 1000)
  const cost = today.unpriced > 0 ? 'with some of unknown price' : `$${today.usd.toFixed(3)}`
  const ailing = [
    ...new Map(recent.map((seen) => [`${seen.provider}:${seen.model}`, seen])).values(),
  ].flatMap((seen) => {
    const { fault } = book.of(seen)
    return fault
      ? [
          {
            ...look(
              'providers',
              `${labelOf(seen.provider)}: the last call of ${seen.model} failed ${waitWords(Date.now() - seen.at)} ago: ${endWords(fault)}`,
            ),
            about: labelOf(seen.provider),
          },
        ]
      : []
  })
  return [note('providers', `today: ${today.calls} calls, ${tokens}k tokens, ${cost}`), ...ailing]
}
