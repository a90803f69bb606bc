import type { ControlConfig } from '../../core/config/control.ts'
import { messageOf } from '../../core/config/logger.ts'
import { askTelegram, type RealTelegram, tokenMend } from '../askTelegram.ts'
import { type Finding, ok, wrong } from './finding.ts'

const TIMEOUT_MS = 5000

/** Telegram knows the token (or the chat page answers). `outsideMs`: how far Telegram's clock is ahead of ours. */
export async function checkTelegram({
  telegram,
}: Pick<ControlConfig, 'telegram'>): Promise<{ found: Finding; outsideMs: number | null }> {
  if (telegram.kind === 'playground') return { found: await checkPage(telegram.port), outsideMs: null }
  try {
    const began = Date.now()
    const { body, date } = await askTelegram(telegram, 'getMe')
    const outsideMs = date ? date.getTime() + 500 - (began + Date.now()) / 2 : null
    if (!body.ok) return { found: refused(body.description ?? 'no reason given'), outsideMs }
    const webhook = (await askTelegram(telegram, 'getWebhookInfo')).body.result
    return { found: judgeWebhook(telegram, `@${body.result?.username ?? 'bot'}`, webhook ?? {}), outsideMs }
  } catch (error) {
    const why = messageOf(error instanceof Error && error.cause ? error.cause : error).replaceAll(
      telegram.token,
      '***',
    )
    const mend =
      'Check the network and TELEGRAM_API_ROOT; where Telegram is blocked, point it to a Bot API server of yours.'
    return { found: wrong('telegram', `${telegram.apiRoot} does not answer (${why})`, mend), outsideMs: null }
  }
}

const refused = (why: string): Finding => wrong('telegram', `refuses the token: ${why}`, tokenMend)

function judgeWebhook(
  telegram: RealTelegram,
  name: string,
  webhook: { url?: string | undefined; last_error_message?: string | undefined },
): Finding {
  if (telegram.kind === 'webhook' && webhook.last_error_message)
    return wrong(
      'telegram',
      `${name}: Telegram cannot deliver to the webhook: ${webhook.last_error_message}`,
      `Make ${telegram.url} reach port ${telegram.port} of this machine, with a valid certificate.`,
    )
  return ok('telegram', `${name} by ${telegram.kind === 'webhook' ? 'webhook' : 'long polling'}`)
}

async function checkPage(port: number): Promise<Finding> {
  const answer = await fetch(`http://127.0.0.1:${port}/`, { signal: AbortSignal.timeout(TIMEOUT_MS) }).catch(
    () => null,
  )
  if (answer) return ok('telegram', `no token is set: the chat page serves, on port ${port}`)
  return wrong(
    'telegram',
    `no token is set, and no chat page answers on port ${port}`,
    'Start SKYNET (`npm start`), or set TELEGRAM_BOT_TOKEN.',
  )
}
