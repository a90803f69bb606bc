/** Text as Telegram's HTML takes it. */
export const escapeHtml = (text: string): string =>
  text.replaceAll('&', '&amp;').replaceAll('<', '&lt;').replaceAll('>', '&gt;')

export const bold = (text: string): string => `<b>${escapeHtml(text)}</b>`
export const code = (text: string): string => `<code>${escapeHtml(text)}</code>`
/** An expandable quote with plain text; nothing for no text. */
export const quote = (text: string): string =>
  text.trim() === '' ? '' : `<blockquote expandable>${escapeHtml(text.trimEnd())}</blockquote>`

/** At most `max` characters, the cut said by an ellipsis; never half of a surrogate pair. */
export function clip(text: string, max: number): string {
  const chars = [...text]
  return chars.length <= max ? text : `${chars.slice(0, max - 1).join('')}…`
}

/** Marks text that ticks by itself: its change alone edits no card. */
export const ticking = (text: string): string => `\u0001${text}\u0002`

/** `0:08`, `1:42`, `1:02:03`. */
export function clock(ms: number): string {
  const s = Math.max(0, Math.floor(ms / 1000))
  const pad = (n: number) => String(n).padStart(2, '0')
  const [hours, minutes] = [Math.floor(s / 3600), Math.floor(s / 60) % 60]
  return hours > 0 ? `${hours}:${pad(minutes)}:${pad(s % 60)}` : `${minutes}:${pad(s % 60)}`
}

/** A moment that the client shows in the reader's own time zone, where it knows how. */
export function time(at: Date, format: 't' | 'T' | 'wt' = 't'): string {
  const iso = at.toISOString()
  const shown =
    format === 'T'
      ? iso.slice(11, 19)
      : format === 't'
        ? iso.slice(11, 16)
        : `${iso.slice(0, 10)} ${iso.slice(11, 16)}`
  return `<tg-time unix="${Math.floor(at.getTime() / 1000)}" format="${format}">${shown} UTC</tg-time>`
}

/** The same message without any tag: what is sent when Telegram cannot read the HTML. */
export const plain = (html: string): string =>
  html
    .replace(/<[^>]*>/g, '')
    .replaceAll('&lt;', '<')
    .replaceAll('&gt;', '>')
    .replaceAll('&quot;', '"')
    .replaceAll('&amp;', '&')

const isHighSurrogate = (unit: number): boolean => unit >= 0xd800 && unit <= 0xdbff

export const MAX_MESSAGE = 4096

/**
 * Cuts rendered HTML into messages of at most `max` shown characters, at line ends where there are any, closing and
 * reopening the tags that are open at a cut. Every piece parses by itself.
 */
export function splitHtml(html: string, max = MAX_MESSAGE): string[] {
  const pieces: string[] = []
  let open: string[] = []
  let piece = ''
  let used = 0
  const closeTags = () =>
    open
      .map((tag) => `</${tag.split(/\s/, 1)[0]}>`)
      .reverse()
      .join('')
  const cut = () => {
    pieces.push(piece + closeTags())
    piece = open.map((tag) => `<${tag}>`).join('')
    used = 0
  }
  for (const token of html.match(/<[^>]*>|&[a-z]+;|\n|[^<&\n]+|[<&]/g) ?? []) {
    const tag = /^<(\/?)([^>]*)>$/.exec(token)
    if (tag) {
      open = tag[1] ? open.slice(0, -1) : [...open, tag[2] ?? '']
      piece += token
      continue
    }
    let rest = token
    const length = token.startsWith('&') && token.endsWith(';') ? 1 : token.length
    if (used + length > max && used > 0 && length <= max) cut()
    while (rest.length > max && !rest.startsWith('&')) {
      const fits = max - used - (isHighSurrogate(rest.charCodeAt(max - used - 1)) ? 1 : 0)
      piece += rest.slice(0, fits)
      rest = rest.slice(fits)
      cut()
    }
    piece += rest
    used += rest === token ? length : rest.length
  }
  if (plain(piece).trim() !== '' || pieces.length === 0) pieces.push(piece + closeTags())
  return pieces
}
