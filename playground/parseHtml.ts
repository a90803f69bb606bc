import type { MessageEntity } from 'grammy/types'
import { badRequest } from './apiError.ts'

export type FormattedText = { text: string; entities: MessageEntity[] }

type Attributes = Map<string, string>
type OpenTag = { tag: string; at: number; attributes: Attributes }
type Cursor = { source: string; at: number; text: string; open: OpenTag[]; entities: MessageEntity[] }

const simpleTags: Record<string, 'bold' | 'italic' | 'underline' | 'strikethrough' | 'spoiler'> = {
  b: 'bold',
  strong: 'bold',
  i: 'italic',
  em: 'italic',
  u: 'underline',
  ins: 'underline',
  s: 'strikethrough',
  strike: 'strikethrough',
  del: 'strikethrough',
  span: 'spoiler',
  'tg-spoiler': 'spoiler',
}
const otherTags = new Set(['a', 'code', 'pre', 'blockquote', 'tg-emoji', 'tg-time'])
const named: Record<string, string> = { lt: '<', gt: '>', amp: '&', quot: '"' }
const timeFormat = /^(?:r|w?[dD]?[tT]?)$/

/**
 * Turns Telegram's HTML into text and entities, and refuses what Telegram refuses, with its words
 * and byte offsets. Behaviour follows `parse_html` of tdlib (td/telegram/MessageEntity.cpp).
 */
export function parseHtml(source: string): FormattedText {
  const cursor: Cursor = { source, at: 0, text: '', open: [], entities: [] }
  while (cursor.at < source.length) step(cursor)
  const last = cursor.open.at(-1)
  if (last) throw parseError(`Can't find end tag corresponding to start tag "${last.tag}"`)
  return { text: cursor.text, entities: mergeCodeInPre(cursor.entities) }
}

function parseError(what: string): Error {
  return badRequest(`can't parse entities: ${what}`)
}

function step(cursor: Cursor): void {
  const char = cursor.source[cursor.at]
  if (char === '&') decodeReference(cursor)
  else if (char !== '<') cursor.text += takeWhile(cursor, /[^<&]/, cursor.at)
  else if (cursor.source[cursor.at + 1] === '/') closeTag(cursor)
  else openTag(cursor)
}

/** Only four names and numbers are decoded; all else stays as written. */
function decodeReference(cursor: Cursor): void {
  const found = /^&(?:#(\d{1,8})|#x([0-9a-f]{1,6})|(lt|gt|amp|quot));/i.exec(
    cursor.source.slice(cursor.at, cursor.at + 12),
  )
  const decoded = found && decode(found)
  cursor.text += decoded ?? '&'
  cursor.at += decoded && found ? found[0].length : 1
}

function decode([, decimal, hex, name]: RegExpExecArray): string | undefined {
  if (name) return named[name.toLowerCase()]
  const code = decimal ? Number(decimal) : Number.parseInt(hex ?? '', 16)
  return code > 0 && code <= 0x10ffff ? String.fromCodePoint(code) : undefined
}

/** Position in bytes of UTF-8, as Telegram counts it in its errors. */
function byteOffset(cursor: Cursor, at: number): number {
  return Buffer.byteLength(cursor.source.slice(0, at))
}

function openTag(cursor: Cursor): void {
  const begin = cursor.at
  const tag = takeWhile(cursor, /[^\s>]/, begin + 1).toLowerCase()
  if (cursor.at >= cursor.source.length)
    throw parseError(`Unclosed start tag at byte offset ${byteOffset(cursor, begin)}`)
  if (!simpleTags[tag] && !otherTags.has(tag)) {
    throw parseError(`Unsupported start tag "${tag}" at byte offset ${byteOffset(cursor, begin)}`)
  }
  const attributes = readAttributes(cursor, tag, begin)
  requireAttributes(tag, attributes, byteOffset(cursor, begin))
  cursor.open.push({ tag, at: cursor.text.length, attributes })
}

function takeWhile(cursor: Cursor, pattern: RegExp, from: number): string {
  const run = new RegExp(`${pattern.source}*`, 'y')
  run.lastIndex = from
  const taken = run.exec(cursor.source)?.[0] ?? ''
  cursor.at = from + taken.length
  return taken
}

function readAttributes(cursor: Cursor, tag: string, begin: number): Attributes {
  const attributes: Attributes = new Map()
  for (;;) {
    takeWhile(cursor, /\s/, cursor.at)
    if (cursor.at >= cursor.source.length) {
      throw parseError(`Unclosed start tag "${tag}" at byte offset ${byteOffset(cursor, begin)}`)
    }
    if (cursor.source[cursor.at] === '>') break
    readAttribute(cursor, tag, begin, attributes)
  }
  cursor.at += 1
  return attributes
}

function readAttribute(cursor: Cursor, tag: string, begin: number, into: Attributes): void {
  const name = takeWhile(cursor, /[^\s=>]/, cursor.at)
  if (!name)
    throw parseError(`Empty attribute name in the tag "${tag}" at byte offset ${byteOffset(cursor, begin)}`)
  takeWhile(cursor, /\s/, cursor.at)
  if (cursor.source[cursor.at] !== '=') {
    into.set(name.toLowerCase(), '')
    return
  }
  takeWhile(cursor, /\s/, cursor.at + 1)
  if (cursor.at >= cursor.source.length) return
  into.set(name.toLowerCase(), readValue(cursor, begin))
}

function readValue(cursor: Cursor, begin: number): string {
  const quote = cursor.source[cursor.at]
  if (quote !== '"' && quote !== "'") return readBareValue(cursor)
  const end = cursor.source.indexOf(quote, cursor.at + 1)
  if (end < 0) throw parseError(`Unclosed start tag at byte offset ${byteOffset(cursor, begin)}`)
  const raw = cursor.source.slice(cursor.at + 1, end)
  cursor.at = end + 1
  return raw.replace(/&(lt|gt|amp|quot);/g, (_, name: string) => named[name] ?? '')
}

function readBareValue(cursor: Cursor): string {
  const value = takeWhile(cursor, /[A-Za-z0-9.-]/, cursor.at)
  const next = cursor.source[cursor.at]
  if (next === undefined || !/[\s>]/.test(next)) {
    throw parseError(
      `Unexpected end of name token at byte offset ${byteOffset(cursor, cursor.at - value.length)}`,
    )
  }
  return value
}

function requireAttributes(tag: string, attributes: Attributes, offset: number): void {
  if (tag === 'span' && attributes.get('class') !== 'tg-spoiler') {
    throw parseError(`Tag "span" must have class "tg-spoiler" at byte offset ${offset}`)
  }
  if (tag === 'tg-emoji' && !attributes.get('emoji-id')) {
    throw parseError(`Tag "tg-emoji" must have attribute "emoji-id" at byte offset ${offset}`)
  }
  if (tag !== 'tg-time') return
  if (!/^\d{1,12}$/.test(attributes.get('unix') ?? '')) throw parseError('Invalid Unix time specified')
  if (!timeFormat.test(attributes.get('format') ?? '')) throw parseError('Invalid date-time format specified')
}

function closeTag(cursor: Cursor): void {
  const begin = cursor.at
  const open = cursor.open.pop()
  if (!open) throw parseError(`Unexpected end tag at byte offset ${byteOffset(cursor, begin)}`)
  const tag = takeWhile(cursor, /[^\s>]/, begin + 2).toLowerCase()
  takeWhile(cursor, /\s/, cursor.at)
  if (cursor.source[cursor.at] !== '>')
    throw parseError(`Unclosed end tag at byte offset ${byteOffset(cursor, begin)}`)
  if (tag && tag !== open.tag) {
    throw parseError(
      `Unmatched end tag at byte offset ${byteOffset(cursor, begin)}, expected "</${open.tag}>", found "</${tag}>"`,
    )
  }
  cursor.at += 1
  addEntity(cursor, open)
}

function addEntity(cursor: Cursor, open: OpenTag): void {
  const length = cursor.text.length - open.at
  if (length === 0) return
  const entity = toEntity(open, cursor.text.slice(open.at), { offset: open.at, length })
  if (entity) cursor.entities.push(entity)
}

function toEntity(
  open: OpenTag,
  content: string,
  span: { offset: number; length: number },
): MessageEntity | null {
  const simple = simpleTags[open.tag]
  if (simple) return { type: simple, ...span }
  const { attributes } = open
  if (open.tag === 'blockquote')
    return { type: attributes.has('expandable') ? 'expandable_blockquote' : 'blockquote', ...span }
  if (open.tag === 'pre') return { type: 'pre', ...span }
  if (open.tag === 'code') return toCode(attributes, span)
  if (open.tag === 'tg-emoji')
    return { type: 'custom_emoji', custom_emoji_id: attributes.get('emoji-id') ?? '', ...span }
  if (open.tag === 'tg-time') return toDateTime(attributes, span)
  return toLink(attributes.get('href') || content, span)
}

/** A code block's language travels on the entity until `mergeCodeInPre` moves it to its `pre`. */
function toCode(attributes: Attributes, span: { offset: number; length: number }): MessageEntity {
  const language = /^language-(.+)$/.exec(attributes.get('class') ?? '')?.[1]
  return Object.assign({ type: 'code' as const, ...span }, language ? { language } : {})
}

function toDateTime(attributes: Attributes, span: { offset: number; length: number }): MessageEntity {
  const format = attributes.get('format') ?? ''
  return {
    type: 'date_time',
    unix_time: Number(attributes.get('unix')),
    date_time_format: format as MessageEntity.DateTimeMessageEntity['date_time_format'],
    ...span,
  }
}

/** A link to nowhere is plain text, as in Telegram. */
function toLink(href: string, span: { offset: number; length: number }): MessageEntity | null {
  const user = /^tg:\/\/user\?id=(\d+)$/.exec(href)
  if (user)
    return { type: 'text_mention', user: { id: Number(user[1]), is_bot: false, first_name: '' }, ...span }
  const url = /^[a-z][a-z0-9+.-]*:/i.test(href) ? href : `http://${href}`
  if (!URL.canParse(url) || !/^(?:https?|tg|ton|mailto|tel):/i.test(url)) return null
  return /^https?:/i.test(url) && !/[.:]|localhost/.test(new URL(url).hostname)
    ? null
    : { type: 'text_link', url, ...span }
}

function mergeCodeInPre(entities: MessageEntity[]): MessageEntity[] {
  const languageOf = (entity: MessageEntity) => ('language' in entity ? entity.language : undefined)
  const inside = (inner: MessageEntity, outer: MessageEntity) =>
    inner.offset >= outer.offset && inner.offset + inner.length <= outer.offset + outer.length
  const blocks = entities.filter((entity) => entity.type === 'pre')
  const kept = entities.filter(
    (entity) => entity.type === 'pre' || !blocks.some((block) => inside(entity, block)),
  )
  return kept.map((entity) => {
    if (entity.type === 'code') return { type: 'code', offset: entity.offset, length: entity.length }
    if (entity.type !== 'pre') return entity
    const code = entities.find(
      (each) => each.type === 'code' && each.length === entity.length && inside(each, entity),
    )
    const language = code && languageOf(code)
    return language ? { ...entity, language } : entity
  })
}
