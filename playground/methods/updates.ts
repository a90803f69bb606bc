import { ApiError, badRequest } from '../apiError.ts'
import { loopbackHosts } from '../http.ts'
import { flag, integer, type Params, structure, text } from '../readParams.ts'
import type { World } from '../world.ts'
import type { Method } from './method.ts'

export const getUpdates: Method = (world, params, cancelled) => {
  if (world.store.state.webhook) {
    throw new ApiError(
      409,
      "Conflict: can't use getUpdates method while webhook is active; use deleteWebhook to delete the webhook first",
    )
  }
  rememberAllowed(world, params)
  const offset = integer(params, 'offset')
  const limit = Math.min(100, Math.max(1, integer(params, 'limit') ?? 100))
  const timeoutMs = Math.min(50, Math.max(0, integer(params, 'timeout') ?? 0)) * 1000
  return world.queue.poll({ ...(offset === undefined ? {} : { offset }), limit, timeoutMs, cancelled })
}

/** The list of wanted types holds until another is given. */
function rememberAllowed(world: World, params: Params): void {
  const given = structure(params, 'allowed_updates')
  if (!Array.isArray(given)) return
  const types = given.map(String)
  if (JSON.stringify(types) !== JSON.stringify(world.store.state.allowedUpdates))
    world.store.record({ kind: 'allowed', types })
}

export const setWebhook: Method = (world, params) => {
  const url = text(params, 'url') ?? ''
  if (url === '') return deleteWebhook(world, params, AbortSignal.abort())
  checkUrl(url)
  const secret_token = text(params, 'secret_token')
  if (secret_token !== undefined && !/^[A-Za-z0-9_-]{1,256}$/.test(secret_token)) {
    throw badRequest('secret token contains unallowed characters')
  }
  rememberAllowed(world, params)
  if (flag(params, 'drop_pending_updates')) world.queue.dropAll()
  const max_connections = integer(params, 'max_connections') ?? 40
  world.store.record({
    kind: 'webhook',
    webhook: { url, max_connections, ...(secret_token ? { secret_token } : {}) },
  })
  world.queue.interrupt('terminated by setWebhook request')
  return true
}

/** Deliveries stay on this machine: a webhook elsewhere would carry the chat away. */
function checkUrl(url: string): void {
  if (!URL.canParse(url) || !/^https?:/.test(url))
    throw badRequest('bad webhook: invalid webhook URL specified')
  if (!loopbackHosts.has(new URL(url).hostname)) {
    throw badRequest(
      'bad webhook: the playground delivers to this machine only, use http://127.0.0.1:PORT/...',
    )
  }
}

export const deleteWebhook: Method = (world, params) => {
  if (flag(params, 'drop_pending_updates')) world.queue.dropAll()
  if (world.store.state.webhook) world.store.record({ kind: 'webhook', webhook: null })
  return true
}

/** What the server knows; the last delivery error is added by whoever delivers. */
export const getWebhookInfo: Method = (world) => {
  const { webhook, allowedUpdates } = world.store.state
  return {
    url: webhook?.url ?? '',
    has_custom_certificate: false,
    pending_update_count: world.queue.count(),
    ...(webhook ? { max_connections: webhook.max_connections, ...world.webhookState } : {}),
    ...(allowedUpdates?.length ? { allowed_updates: allowedUpdates } : {}),
  }
}
