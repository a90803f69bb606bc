import { readFile } from 'node:fs/promises'
import { join } from 'node:path'
import { z } from 'zod'
import { type ControlConfig, parseControlConfig } from '../core/config/control.ts'
import type { Env } from '../core/config/settings.ts'
import { localUrl } from './localUrl.ts'
import { warnOfStrangeSettings } from './strangeSettings.ts'

const OwnTokens = z.object({ gateway_token: z.string(), gateway_api_token: z.string() })

/**
 * `skynet gateway`: nothing of the control plane is loaded. On the control plane's own machine the tokens that it
 * generated, and the address of its API, serve where none are set.
 */
export async function gatewayCommand(env: Env): Promise<void> {
  warnOfStrangeSettings(env)
  const { main } = await import('../gateway/main.ts')
  const given = Object.entries(env).filter(([, value]) => value)
  await main({ ...(await ownSettings(parseControlConfig(env))), ...Object.fromEntries(given) })
}

async function ownSettings({ dataDir, http }: ControlConfig): Promise<Env> {
  const text = await readFile(join(dataDir, 'secrets.json'), 'utf8').catch(() => '{}')
  const own = OwnTokens.safeParse(JSON.parse(text))
  if (!own.success) return {}
  return {
    SKYNET_API_URL: localUrl(http.host, http.port),
    SKYNET_GATEWAY_TOKEN: own.data.gateway_token,
    SKYNET_GATEWAY_API_TOKEN: own.data.gateway_api_token,
  }
}
