import { openDoorWarning } from '../core/doors/loopback.ts'
import type { ApiDeps } from './deps.ts'
import type { ApiOptions } from './options.ts'
import { createApi } from './server.ts'

/**
 * Starts the REST API and returns its address and what stops it. Port 0 takes any free one. `names`: host names of its
 * public address. Warns when more than this machine reaches it.
 */
export async function startApi(
  deps: ApiDeps,
  { host, port, names = [] }: { host: string; port: number; names?: readonly string[] },
  options: Partial<ApiOptions> = {},
): Promise<{ url: string; stop(): Promise<void> }> {
  const app = createApi(deps, { door: { host, names }, ...options })
  await app.listen({ host, port })
  const address = app.server.address()
  const at = typeof address === 'object' && address ? address.port : port
  const warning = openDoorWarning('The API', host, at, 'SKYNET_HTTP_HOST')
  if (warning) deps.log.warn(warning)
  const near = ['0.0.0.0', '::'].includes(host) ? '127.0.0.1' : host
  return { url: `http://${near.includes(':') ? `[${near}]` : near}:${at}`, stop: () => app.close() }
}
