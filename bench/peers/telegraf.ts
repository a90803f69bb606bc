import type { RequestListener } from 'node:http'
import { Telegraf } from 'telegraf'

/** A bot whose every update is stored by `store` before it is answered. */
export async function openTelegraf(
  secret: string,
  botInfo: object,
  store: (update: { update_id: number }) => Promise<unknown>,
): Promise<RequestListener> {
  const bot = new Telegraf('1:bench')
  bot.botInfo = botInfo as never
  bot.use(async (ctx) => {
    await store(ctx.update)
  })
  const handle = bot.webhookCallback('/', { secretToken: secret })
  return (request, response) => void handle(request, response)
}
