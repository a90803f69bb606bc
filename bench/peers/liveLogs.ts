import { autoRetry } from '@grammyjs/auto-retry'
import { streamApi } from '@grammyjs/stream'
import { apiThrottler } from '@grammyjs/transformer-throttler'
import { Api } from 'grammy'
import type { LogShower } from '../peers.ts'

/** Message drafts while lines come, and a message at the end; who is told to wait waits. */
export const streamed: LogShower = async ({ apiRoot, token, chatId }, lines) => {
  const api = new Api(token, { apiRoot })
  api.config.use(autoRetry())
  await streamApi(api.raw).streamMessage(chatId, 1, lines)
}

/** An edit for each line, each waiting for its turn. */
export const throttled: LogShower = async ({ apiRoot, token, chatId, signal }, lines) => {
  const api = new Api(token, { apiRoot })
  api.config.use(apiThrottler())
  await editEach(api, chatId, lines, signal)
}

/** An edit for each line; one that is refused is left out. */
export const eachChunk: LogShower = async ({ apiRoot, token, chatId, signal }, lines) => {
  await editEach(new Api(token, { apiRoot }), chatId, lines, signal)
}

async function editEach(
  api: Api,
  chatId: number,
  lines: AsyncIterable<string>,
  signal: AbortSignal,
): Promise<void> {
  let shown = ''
  let id: number | null = null
  const edits: Promise<unknown>[] = []
  for await (const line of lines) {
    shown += line
    if (id === null) id = (await api.sendMessage(chatId, shown)).message_id
    else edits.push(api.editMessageText(chatId, id, shown, {}, signal as never).catch(() => {}))
  }
  await Promise.all(edits)
}
