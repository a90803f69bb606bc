import { readFile } from 'node:fs/promises'
import { join } from 'node:path'
import { z } from 'zod'
import { defaultDataDir } from '../core/config/agent.ts'
import type { Env } from '../core/config/settings.ts'

const OwnTokens = z.object({ gateway_token: z.string(), gateway_api_token: z.string() })

/**
 * `skynet gateway`: nothing of the control plane is loaded. On the control plane's own machine the tokens that it
 * generated serve where none are set.
 */
export async function gatewayCommand(env: Env): Promise<void> {
  const { main } = await import('../gateway/main.ts')
  const given = Object.entries(env).filter(([, value]) => value)
  await main({
    ...(await ownTokens(env.SKYNET_DATA_DIR || defaultDataDir(env))),
    ...Object.fromEntries(given),
  })
}

async function ownTokens(dataDir: string): Promise<Env> {
  const text = await readFile(join(dataDir, 'secrets.json'), 'utf8').catch(() => '{}')
  const own = OwnTokens.safeParse(JSON.parse(text))
  if (!own.success) return {}
  return {
    SKYNET_GATEWAY_TOKEN: own.data.gateway_token,
    SKYNET_GATEWAY_API_TOKEN: own.data.gateway_api_token,
  }
}
