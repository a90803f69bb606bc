import type { ApiDeps } from './deps.ts'
import type { ApiOptions } from './options.ts'
import { createApi } from './server.ts'

/** Starts the REST API and returns its address and what stops it. Port 0 takes any free one. */
export async function startApi(
  deps: ApiDeps,
  listen: { host: string; port: number },
  options: Partial<ApiOptions> = {},
): Promise<{ url: string; stop(): Promise<void> }> {
  const app = createApi(deps, options)
  await app.listen(listen)
  const address = app.server.address()
  const port = typeof address === 'object' && address ? address.port : listen.port
  const host = ['0.0.0.0', '::'].includes(listen.host) ? '127.0.0.1' : listen.host
  return { url: `http://${host.includes(':') ? `[${host}]` : host}:${port}`, stop: () => app.close() }
}
