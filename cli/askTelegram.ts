import { z } from 'zod'
import type { TelegramConfig } from '../core/config/control.ts'
import { ConfigError } from '../core/config/settings.ts'

const TIMEOUT_MS = 5000
/** A start does not wait longer than this for Telegram; the bot itself goes on asking. */
const START_WAITS_MS = 1500

const Answer = z.object({
  ok: z.boolean(),
  description: z.string().optional(),
  result: z
    .object({
      username: z.string().optional(),
      url: z.string().optional(),
      last_error_message: z.string().optional(),
    })
    .optional(),
})
export type RealTelegram = Exclude<TelegramConfig, { kind: 'playground' }>
type Answered = { body: z.infer<typeof Answer>; date: Date | null }

export const tokenMend = 'Copy the token from @BotFather into TELEGRAM_BOT_TOKEN again.'

/** Asks the Bot API one thing. Rejects when nothing like it answers within `ms`. */
export async function askTelegram(
  { apiRoot, token }: RealTelegram,
  method: 'getMe' | 'getWebhookInfo',
  ms: number = TIMEOUT_MS,
): Promise<Answered> {
  const answer = await fetch(`${apiRoot.replace(/\/+$/, '')}/bot${token}/${method}`, {
    signal: AbortSignal.timeout(ms),
  })
  const date = answer.headers.get('date')
  return { body: Answer.parse(await answer.json()), date: date ? new Date(date) : null }
}

/** Rejects with ConfigError when Telegram says that it does not know the token; silence is no refusal. */
export async function checkToken(telegram: TelegramConfig): Promise<void> {
  if (telegram.kind === 'playground') return
  const answered = await askTelegram(telegram, 'getMe', START_WAITS_MS).catch(() => null)
  if (answered && !answered.body.ok && isRefusal(answered.body.description))
    throw new ConfigError(
      `TELEGRAM_BOT_TOKEN: Telegram refuses it (${answered.body.description}). ${tokenMend}`,
    )
}

/** Telegram says Unauthorized of a token it does not know, and Not Found of what cannot be one. */
const isRefusal = (description = ''): boolean => /unauthorized|not found/i.test(description)
