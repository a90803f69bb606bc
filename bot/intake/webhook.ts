import { timingSafeEqual } from 'node:crypto'
import { createServer, type IncomingMessage } from 'node:http'
import type { Api } from 'grammy'
import type { Update } from 'grammy/types'
import { z } from 'zod'
import { gather } from '../../core/queue/gather.ts'
import type { BotDeps } from '../turn.ts'
import type { Inbox } from './handleInbox.ts'
import { allowedUpdates, takeIn } from './poll.ts'

const MAX_BYTES = 1024 * 1024
const UpdateShape = z.looseObject({ update_id: z.int().min(0) })

/** Whether the header carries the secret, compared in constant time. */
function isSecret(given: string | string[] | undefined, secret: string): boolean {
  if (typeof given !== 'string') return false
  const [a, b] = [Buffer.from(given), Buffer.from(secret)]
  return a.length === b.length && timingSafeEqual(a, b)
}

async function readBody(request: IncomingMessage): Promise<string | null> {
  const chunks: Buffer[] = []
  let size = 0
  for await (const chunk of request) {
    size += (chunk as Buffer).length
    if (size > MAX_BYTES) return null
    chunks.push(chunk as Buffer)
  }
  return Buffer.concat(chunks).toString()
}

function parseUpdate(text: string | null): Update | null {
  try {
    const parsed = UpdateShape.safeParse(JSON.parse(text ?? ''))
    return parsed.success ? (parsed.data as unknown as Update) : null
  } catch {
    return null
  }
}

/**
 * Updates by webhook: only requests with the secret pass; 200 is said once the update is in the inbox, so that
 * Telegram sends again what was not stored. Those that come side by side are stored together. Sets the webhook at the
 * start.
 */
export async function startWebhook(
  deps: BotDeps,
  api: Api,
  inbox: Inbox,
  options: { url: string; secret: string; port: number },
): Promise<{ stop(): Promise<void> }> {
  const take = gather(async (updates: readonly Update[]) => {
    await takeIn(deps, inbox, updates)
    return updates
  })
  const server = createServer((request, response) => {
    const answer = (status: number): void => void response.writeHead(status).end()
    if (
      request.method !== 'POST' ||
      !isSecret(request.headers['x-telegram-bot-api-secret-token'], options.secret)
    )
      return answer(401)
    readBody(request)
      .then(async (text) => {
        const update = parseUpdate(text)
        if (!update) return answer(text === null ? 413 : 400)
        await take(update)
        answer(200)
      })
      .catch(() => answer(503))
  })
  await new Promise<void>((resolve, reject) => server.once('error', reject).listen(options.port, resolve))
  await api.setWebhook(options.url, { secret_token: options.secret, allowed_updates: [...allowedUpdates] })
  return {
    stop: async () => {
      const closed = new Promise((resolve) => server.close(resolve))
      server.closeIdleConnections()
      await closed
    },
  }
}
