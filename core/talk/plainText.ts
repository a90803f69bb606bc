/** Longer texts are no short word to the bot: they are requests, or parts of one. */
const MAX_SAID = 160
/** What commands, paths and code have and everyday words have not: such a text is never taken for a word to the bot. */
const codeLike = /[/\\|<>$={}[\]"`;&*~^@]/
/** How a bot is spoken to in a group. */
const named = /^@\w{2,32}bot[,:]?\s+/i
const stopSigns = /^[🛑✋⛔]\ufe0f?$/u
const pauseSigns = /^⏸\ufe0f?$/u
const goSigns = /^[▶⏯]\ufe0f?$/u
const praiseSigns = /^(?:👍|👌|🙌|👏|🎉|❤\ufe0f?)\p{EMod}?$/u

export type PlainText = { words: string; asks: boolean }

/**
 * A short text as the rules read it: lower case, one space between words, no accents, no apostrophes (`dont`, `cest`),
 * no signs but `#`. Null for what is too long, or looks like a command. Pure.
 */
export function plainText(text: string): PlainText | null {
  const tidy = text.normalize('NFKC').trim().replace(named, '')
  if (tidy.length > MAX_SAID || codeLike.test(tidy)) return null
  const words = signWord(tidy) ?? bare(tidy)
  return words === '' ? null : { words, asks: /[?？¿]\s*$/u.test(tidy.replace(/[!.]+$/, '')) }
}

/** What a lone sign says, in a word. */
function signWord(text: string): string | null {
  if (stopSigns.test(text)) return 'stop'
  if (pauseSigns.test(text)) return 'pause'
  if (goSigns.test(text)) return 'go on'
  return praiseSigns.test(text) ? 'great' : null
}

/** Letters, digits, `#`, and stops inside a name (`12.3`, `web.local`); all else is a space. */
export const bare = (text: string): string =>
  text
    .normalize('NFKD')
    .replace(/\p{M}/gu, '')
    .toLowerCase()
    .replace(/['’‘`´]/g, '')
    .replace(/ß/g, 'ss')
    .replace(/[^\p{L}\p{N}#._:-]+/gu, ' ')
    .replace(/(?<![\p{L}\p{N}])[._:-]+|[._:-]+(?![\p{L}\p{N}])/gu, ' ')
    .replace(/\s+/g, ' ')
    .trim()
