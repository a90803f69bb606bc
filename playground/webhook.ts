import type { Update } from 'grammy/types'
import type { Store } from './store.ts'
import type { WebhookSetting } from './types.ts'
import type { UpdateQueue } from './updateQueue.ts'

export type WebhookState = { last_error_date?: number; last_error_message?: string }
type Deps = {
  state: WebhookState
  store: Store
  queue: UpdateQueue
  log: (line: string) => void
  /** Performs a method that the bot put into its answer to the webhook. */
  perform(method: string, fields: Record<string, unknown>): void
}

const firstRetryMs = 250
const longestRetryMs = 30_000

export type WebhookDelivery = { wake(): void; close(): void }

/**
 * Delivers updates to the webhook one by one while one is set, and repeats each until it is taken.
 * Only this machine's addresses are ever called; `setWebhook` sees to that.
 */
export function startWebhook(deps: Deps): WebhookDelivery {
  const closing = new AbortController()
  let running = false
  const run = async () => {
    if (running) return
    running = true
    for (let update = next(deps); update && !closing.signal.aborted; update = next(deps)) {
      await deliver(deps, update, closing.signal)
    }
    running = false
  }
  const wake = () => void run()
  const stop = deps.queue.onPush(wake)
  wake()
  return {
    wake,
    close() {
      stop()
      closing.abort()
    },
  }
}

const next = (deps: Deps): Update | undefined => (deps.store.state.webhook ? deps.queue.peek() : undefined)

async function deliver(deps: Deps, update: Update, closing: AbortSignal): Promise<void> {
  for (let wait = firstRetryMs; !closing.aborted; wait = Math.min(wait * 2, longestRetryMs)) {
    const webhook = deps.store.state.webhook
    if (!webhook) return
    const problem = await post(deps, webhook, update, closing)
    if (problem === null) return deps.queue.confirm(update.update_id + 1)
    Object.assign(deps.state, { last_error_date: Math.floor(Date.now() / 1000), last_error_message: problem })
    deps.log(`webhook: ${problem}`)
    await pause(wait, closing)
  }
}

async function post(
  deps: Deps,
  webhook: WebhookSetting,
  update: Update,
  closing: AbortSignal,
): Promise<string | null> {
  const secret = webhook.secret_token ? { 'X-Telegram-Bot-Api-Secret-Token': webhook.secret_token } : {}
  try {
    const answer = await fetch(webhook.url, {
      method: 'POST',
      headers: { 'content-type': 'application/json', ...secret },
      body: JSON.stringify(update),
      redirect: 'error',
      signal: AbortSignal.any([closing, AbortSignal.timeout(60_000)]),
    })
    if (!answer.ok) return `Wrong response from the webhook: ${answer.status} ${answer.statusText}`
    performAnswer(deps, await answer.text())
    return null
  } catch {
    return 'Connection refused'
  }
}

function performAnswer(deps: Deps, body: string): void {
  try {
    const { method, ...fields }: Record<string, unknown> = JSON.parse(body)
    if (typeof method === 'string') deps.perform(method, fields)
  } catch {
    // Most bots answer with nothing, and any text is fine.
  }
}

function pause(ms: number, closing: AbortSignal): Promise<void> {
  return new Promise((resolve) => {
    const timer = setTimeout(resolve, ms)
    closing.addEventListener('abort', () => {
      clearTimeout(timer)
      resolve()
    })
  })
}
