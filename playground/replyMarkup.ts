import type { InlineKeyboardButton } from 'grammy/types'
import { badRequest } from './apiError.ts'
import type { ReplyMarkup } from './types.ts'

const styles = ['danger', 'success', 'primary']
const isRecord = (value: unknown): value is Record<string, unknown> =>
  typeof value === 'object' && value !== null && !Array.isArray(value)

/** Checks a `reply_markup` by Telegram's rules. An inline keyboard without buttons counts as none. */
export function checkReplyMarkup(markup: unknown): ReplyMarkup | undefined {
  if (markup === undefined || markup === null || markup === '') return undefined
  if (!isRecord(markup)) throw badRequest('object expected as reply markup')
  if ('inline_keyboard' in markup) return checkInlineKeyboard(markup.inline_keyboard)
  if ('keyboard' in markup)
    return { ...markup, keyboard: checkRows(markup.keyboard) } as unknown as ReplyMarkup
  if (markup.force_reply === true || markup.remove_keyboard === true) return markup as unknown as ReplyMarkup
  return undefined
}

function checkInlineKeyboard(keyboard: unknown): ReplyMarkup | undefined {
  const rows = checkRows(keyboard)
  if (rows.flat().length > 100) throw badRequest('reply markup is too long')
  const checked = rows.map((row) => row.map(checkButton)).filter((row) => row.length > 0)
  return checked.length > 0 ? { inline_keyboard: checked } : undefined
}

function checkRows(keyboard: unknown): unknown[][] {
  if (!Array.isArray(keyboard)) throw badRequest("can't parse reply keyboard markup JSON object")
  if (!keyboard.every(Array.isArray))
    throw badRequest('field "inline_keyboard" of the InlineKeyboardMarkup must be an Array of Arrays')
  return keyboard
}

function checkButton(button: unknown): InlineKeyboardButton {
  const refuse = (why: string) => badRequest(`can't parse inline keyboard button: ${why}`)
  if (!isRecord(button)) throw refuse('InlineKeyboardButton must be an Object')
  const { text, style, callback_data: data, url } = button
  if (typeof text !== 'string' || text === '') throw refuse('Field "text" must be a non-empty String')
  if (style !== undefined && !styles.includes(String(style)))
    throw refuse(`Invalid button style "${String(style)}"`)
  if (data !== undefined) checkData(data)
  else if (url !== undefined) checkUrl(url)
  else if (!isRecord(button.copy_text)) throw refuse('Text buttons are unallowed in the inline keyboard')
  return button as unknown as InlineKeyboardButton
}

function checkData(data: unknown): void {
  const size = typeof data === 'string' ? Buffer.byteLength(data) : 0
  if (size < 1 || size > 64) throw badRequest('BUTTON_DATA_INVALID')
}

function checkUrl(url: unknown): void {
  if (typeof url === 'string' && URL.canParse(url) && /^(?:https?|tg):/.test(url)) return
  throw badRequest(`inline keyboard button URL '${String(url)}' is invalid: Wrong HTTP URL`)
}
