import type { MessageEntity } from 'grammy/types'

type Found = 'bot_command' | 'url' | 'mention' | 'hashtag' | 'email'

const patterns: [Found, RegExp][] = [
  ['url', /\bhttps?:\/\/[^\s<>"']*[^\s<>"'.,;:!?)\]}]/g],
  ['email', /\b[\w.+-]+@[\w-]+\.[\w.-]*[\w-]/g],
  ['mention', /(?<![\w/@])@[a-zA-Z]\w{2,31}\b/g],
  ['hashtag', /(?<![\p{L}\p{N}_#/])#[\p{L}\p{N}_]*\p{L}[\p{L}\p{N}_]*/gu],
  ['bot_command', /(?<![\w/<>])\/[a-zA-Z0-9_]{1,64}(?:@[a-zA-Z0-9_]{3,32})?(?![\w/<>@])/g],
]

/**
 * Finds what Telegram's server finds in plain text: commands, links, mentions, hashtags, addresses.
 * Nothing is found where code, a link or an earlier find already is.
 */
export function detectEntities(text: string, known: MessageEntity[]): MessageEntity[] {
  const taken = known.filter((entity) => ['code', 'pre', 'text_link', 'text_mention'].includes(entity.type))
  const found: MessageEntity[] = []
  for (const [type, pattern] of patterns) {
    for (const match of text.matchAll(pattern)) {
      const entity = { type, offset: match.index, length: match[0].length }
      if (![...taken, ...found].some((other) => overlap(other, entity))) found.push(entity)
    }
  }
  return found
}

function overlap(a: { offset: number; length: number }, b: { offset: number; length: number }): boolean {
  return a.offset < b.offset + b.length && b.offset < a.offset + a.length
}
