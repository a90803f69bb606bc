import type { Transformer } from 'grammy'
import { createRedactor, type Redactor } from '../../core/redaction/redact.ts'
import { redactFields } from '../../core/redaction/redactFields.ts'

/** What a person reads of a call: messages, captions, buttons, answers to taps. */
const shown = new Set(['text', 'caption', 'title', 'description'])

/**
 * The text between the tags of a message, redacted as one: a mark never tears a tag, and formatting hides nothing. What
 * is escaped for HTML is looked at as it is read. Pure.
 */
export function redactHtml(pieces: Redactor['pieces'], html: string): string {
  const parts = html.split(/(<[^<>]*>)/)
  const texts = parts.filter((_, i) => i % 2 === 0).map(unescaped)
  const clean = pieces(texts)
  if (clean.every((text, i) => text === texts[i])) return html
  return parts.map((part, i) => (i % 2 === 0 ? escaped(clean[i / 2] ?? '') : part)).join('')
}

const unescaped = (text: string): string =>
  text.replace(/&(lt|gt|quot|amp);/g, (_, name: keyof typeof signs) => signs[name])
const signs = { lt: '<', gt: '>', quot: '"', amp: '&' } as const
const escaped = (text: string): string =>
  text.replaceAll('&', '&amp;').replaceAll('<', '&lt;').replaceAll('>', '&gt;')

/** The last door to Telegram: no call leaves with a secret in what it shows, whatever was overlooked before. */
export function redactOutgoing(redact: (text: string) => string): Transformer {
  const { pieces } = createRedactor({ known: [] })
  const both = (texts: readonly string[]): string[] => pieces(texts).map(redact)
  return (call, method, payload, signal) => {
    const html = Reflect.get(payload ?? {}, 'parse_mode') === 'HTML'
    const clean = (text: string): string => (html ? redactHtml(both, text) : redact(text))
    return call(method, redactFields(payload, shown, clean), signal)
  }
}
