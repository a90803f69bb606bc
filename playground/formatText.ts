import type { MessageEntity } from 'grammy/types'
import { badRequest } from './apiError.ts'
import { detectEntities } from './detectEntities.ts'
import { type FormattedText, parseHtml } from './parseHtml.ts'

export type RawText = { text: string; parse_mode?: string; entities?: MessageEntity[] }

/** Text of a call as Telegram would keep it: parsed, trimmed, with links and commands found. */
export function formatText(raw: RawText): FormattedText {
  const { text, entities } = trim(parse(raw))
  const ordered = [...entities, ...detectEntities(text, entities)].sort(
    (a, b) => a.offset - b.offset || b.length - a.length,
  )
  return { text, entities: ordered }
}

function parse(raw: RawText): FormattedText {
  const mode = raw.parse_mode?.toLowerCase() ?? ''
  if (mode === 'html') return parseHtml(raw.text)
  if (mode !== '') throw badRequest('unsupported parse_mode')
  return { text: raw.text, entities: raw.entities ?? [] }
}

function trim({ text, entities }: FormattedText): FormattedText {
  const start = text.length - text.trimStart().length
  const trimmed = text.trim()
  const moved = entities.map((entity) => clamp(entity, start, trimmed.length))
  return { text: trimmed, entities: moved.filter((entity) => entity.length > 0) }
}

function clamp<E extends MessageEntity>(entity: E, start: number, length: number): E {
  const from = Math.max(0, entity.offset - start)
  const to = Math.min(length, entity.offset + entity.length - start)
  return { ...entity, offset: from, length: Math.max(0, to - from) }
}

/** Characters as Telegram counts them for its limits: code points. */
export const countCharacters = (text: string): number => [...text].length
