import type { BotConnection } from '../bot/main.ts'
import type { Control } from './openControl.ts'

export type TelegramEnd = {
  connection: BotConnection
  /** Telegram ids of who is owner from the start. */
  ownerIds: readonly number[]
  /** The chat page's one-time link; null with the real Telegram. */
  page: string | null
  stop(): Promise<void>
}

/** Where the bot finds Telegram: the real one, or the local one that this brings up. */
export async function connectTelegram({ config, deps, secrets }: Control): Promise<TelegramEnd> {
  const { telegram, ownerIds } = config
  if (telegram.kind !== 'playground')
    return { connection: telegram, ownerIds, page: null, stop: async () => {} }
  const { openPlayground, visitor } = await import('../playground/main.ts')
  const token = secrets.playground_token
  const playground = await openPlayground(deps, { dataDir: config.dataDir, port: telegram.port, token })
  return {
    connection: { kind: 'polling', token, apiRoot: playground.url },
    ownerIds: [...ownerIds, visitor.id],
    page: playground.pageUrl,
    stop: () => playground.close(),
  }
}
