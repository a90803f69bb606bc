import { createServer, type IncomingMessage } from 'node:http'
import type { Api } from 'grammy'
import type { Update } from 'grammy/types'
import { z } from 'zod'
import { openDoorWarning } from '../../core/doors/loopback.ts'
import { sameSecret } from '../../core/doors/sameSecret.ts'
import { gather } from '../../core/queue/gather.ts'
import type { BotDeps } from '../turn.ts'
import type { Inbox } from './handleInbox.ts'
import { allowedUpdates, takeIn } from './poll.ts'

const MAX_BYTES = 1024 * 1024
const UpdateShape = z.looseObject({ update_id: z.int().min(0) })

/** Shorter ones can be guessed; the settings refuse them before. */
const MIN_SECRET = 16

/** Whether the header carries the secret, compared in constant time. */
const isSecret = (given: string | string[] | undefined, secret: string): boolean =>
  typeof given === 'string' && sameSecret(given, secret)

async function readBody(request: IncomingMessage): Promise<string | null> {
  if (Number(request.headers['content-length'] ?? 0) > MAX_BYTES) return null
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
 * Updates by webhook: only requests with the secret pass, nothing else is read of the others; 200 is said once the
 * update is in the inbox, so that Telegram sends again what was not stored. Those that come side by side are stored
 * together. Sets the webhook at the start. Rejects without a secret: whoever finds the port could speak as anybody.
 */
export async function startWebhook(
  deps: BotDeps,
  api: Api,
  inbox: Pick<Inbox, 'enqueue'>,
  options: { url: string; secret: string; host: string; port: number },
): Promise<{ stop(): Promise<void> }> {
  if (options.secret.length < MIN_SECRET) throw new Error('the webhook has no secret: it does not open')
  const take = gather(async (updates: readonly Update[]) => {
    await takeIn(deps, inbox, updates)
    return updates
  })
  const server = createServer((request, response) => {
    const answer = (status: number): void =>
      void response.writeHead(status, status === 200 ? {} : { connection: 'close' }).end()
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
  server.headersTimeout = 10_000
  server.requestTimeout = 30_000
  await new Promise<void>((resolve, reject) =>
    server.once('error', reject).listen(options.port, options.host, resolve),
  )
  const warning = openDoorWarning('The webhook', options.host, options.port, 'SKYNET_WEBHOOK_HOST')
  if (warning) deps.log.warn(warning)
  await api.setWebhook(options.url, { secret_token: options.secret, allowed_updates: [...allowedUpdates] })
  return {
    stop: async () => {
      const closed = new Promise((resolve) => server.close(resolve))
      server.closeIdleConnections()
      await closed
    },
  }
}
