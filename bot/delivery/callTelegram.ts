import { type Api, GrammyError, HttpError, InputFile } from 'grammy'
import { plain } from '../render/html.ts'

/** What came of one call. `again`: nothing is known to have happened, try after `ms`. `no`: Telegram will never take it. */
export type Called =
  | { kind: 'ok'; messageId: number | null }
  | { kind: 'again'; ms: number | null; reason: string }
  | { kind: 'blocked'; reason: string }
  | { kind: 'moved'; chatId: number }
  | { kind: 'no'; reason: string }

export type Payload = Record<string, unknown>

type Raw = Record<string, (payload: Payload) => Promise<unknown>>

/**
 * One call to Telegram. HTML that Telegram cannot read goes out once more as plain text; "not modified" counts as
 * done; a message to edit that is gone is `no`.
 */
export async function callTelegram(api: Api, method: string, payload: Payload): Promise<Called> {
  try {
    const result = await (api.raw as unknown as Raw)[method]?.(payload)
    return { kind: 'ok', messageId: (result as { message_id?: number } | undefined)?.message_id ?? null }
  } catch (error) {
    if (error instanceof GrammyError) return refused(api, method, payload, error)
    if (error instanceof HttpError) return { kind: 'again', ms: null, reason: error.message }
    throw error
  }
}

async function refused(api: Api, method: string, payload: Payload, error: GrammyError): Promise<Called> {
  const { error_code, description, parameters } = error
  if (parameters.migrate_to_chat_id) return { kind: 'moved', chatId: parameters.migrate_to_chat_id }
  if (error_code === 429)
    return { kind: 'again', ms: (parameters.retry_after ?? 1) * 1000, reason: description }
  if (error_code >= 500) return { kind: 'again', ms: null, reason: description }
  if (/not modified/i.test(description)) return { kind: 'ok', messageId: null }
  if (error_code === 403) return { kind: 'blocked', reason: description }
  if (/parse entities/i.test(description) && payload.parse_mode) {
    const { parse_mode: _html, ...rest } = payload
    const shown = payload.caption === undefined ? 'text' : 'caption'
    return callTelegram(api, method, { ...rest, [shown]: plain(String(payload[shown] ?? '')) })
  }
  return { kind: 'no', reason: description }
}

/** A text as the file Telegram takes. */
export const fileOf = (text: string, name: string): InputFile =>
  new InputFile(Buffer.from(text, 'utf8'), name)
