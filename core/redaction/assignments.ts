import { looksRandom, looksSecret } from './looksSecret.ts'
import { RANK, type Span } from './spans.ts'

/** Looks at one place of a text where a word was found, from `start` to before `end`. */
export type Look = (text: string, start: number, end: number) => Span | null

const value = (start: number, end: number, kind = 'value'): Span => ({ start, end, kind, rank: RANK.value })

/** A value longer than this is taken in its first part only. */
const MAX_VALUE = 1024

const restOfName = /(?:s?(?:[_.-]\w{1,40}|[A-Z0-9]\w{0,40})?)(?![\w-])/y
const harmlessEnd =
  /(?:count|counts|ids?|type|name|names|len|length|limit|limits|usage|used|expir\w*|ttl|ur[il]s?|endpoint|path|file|dir|version|index|policy|manager|provider|service|store|kind|format|required|rotation|max|min|total|budget|window|per\w*|cost|hint|label|field|env|var|ref|class|list|status|state|error|at|in|age)$/i
const sign = /\\{0,3}["'`]?\]?\s{0,3}(=>|:=|=(?!=)|:(?!:))\s{0,3}/y
const flagGap = /[ \t]{1,3}|=/y
const quote = /\\{0,3}["'`]/y
const bare = /[^\s"'`]{1,1024}/y
const bareQuery = /[^\s"'`&#]{1,1024}/y

/** Where a sticky pattern that begins at `at` ends; -1 where it does not match. */
function endOf(pattern: RegExp, text: string, at: number): number {
  pattern.lastIndex = at
  return pattern.test(text) ? pattern.lastIndex : -1
}

type Found = { start: number; end: number; manner: 'quoted' | 'tight' | 'loose' }

/** Where what is not quoted ends: at a space, an escaped line end, a quote; and sentence marks at its end are no part. */
function bareEnd(text: string, at: number, query: boolean): number {
  const end = endOf(query ? bareQuery : bare, text, at)
  const lineEnd = /\\{1,3}[nrt]/.exec(text.slice(at, end))
  let last = lineEnd ? at + lineEnd.index : end
  while (last > at && /[,;)}\]>.\\]/.test(text[last - 1] as string)) last--
  return last
}

/** The value behind a sign: up to the quote that ends it, or to the next space. */
function valueAt(text: string, at: number, tight: boolean, query: boolean): Found | null {
  const quoted = endOf(quote, text, at)
  if (quoted > 0) {
    const line = text.indexOf('\n', quoted)
    const limit = Math.min(line < 0 ? text.length : line, quoted + MAX_VALUE)
    const close = text.indexOf(text.slice(at, quoted), quoted)
    if (close >= 0 && close <= limit) return { start: quoted, end: close, manner: 'quoted' }
  }
  const start = Math.max(at, quoted)
  const end = bareEnd(text, start, query)
  return end > start ? { start, end, manner: tight ? 'tight' : 'loose' } : null
}

/** The start of the name that a word at `start` is the end or middle of. */
function nameStart(text: string, start: number): number {
  let at = start
  while (at > 0 && start - at < 60 && /[\w-]/.test(text[at - 1] as string)) at--
  return at
}

/** A name that ends in a word for secrets, a sign, and a value. `strong`: see `looksSecret`. */
export const assigned =
  (strong: boolean): Look =>
  (text, start, end) => {
    const nameEnd = endOf(restOfName, text, end)
    if (nameEnd < 0 || (nameEnd > end && harmlessEnd.test(text.slice(end, nameEnd)))) return null
    const begin = nameStart(text, start)
    const isFlag = text.startsWith('--', begin)
    sign.lastIndex = nameEnd
    const set = sign.exec(text)
    const at = set ? sign.lastIndex : isFlag ? endOf(flagGap, text, nameEnd) : -1
    if (at < 0) return null
    const tight = (set !== null && set[1] === '=' && set[0].length <= 3 && !/\s/.test(set[0])) || isFlag
    const query = /[?&]/.test(text[begin - 1] ?? '')
    const found = valueAt(text, at, tight, query)
    return found && looksSecret(text.slice(found.start, found.end), strong, found.manner)
      ? value(found.start, found.end)
      : null
  }

const header =
  /["'`]?\s{0,3}[:=]\s{0,3}["'`]?(?:(bearer|basic|token|digest|negotiate|apikey|aws4-hmac-sha256)\s+)?([^\r\n"'`]{1,1024})/iy

/** What an `Authorization` header says: all behind its scheme. */
export const authorization: Look = (text, _, end) => {
  header.lastIndex = end
  const found = header.exec(text)
  const [, scheme, said = ''] = found ?? []
  const word = scheme ? said : (said.split(/\s/)[0] ?? '')
  if (word.length < 6 || /^(?:[$<{*%]|\[redacted|undefined|null)/i.test(word)) return null
  if (!(scheme ? /[\d=]/.test(word) || looksRandom(word, 6) : looksRandom(word, 12))) return null
  return value(header.lastIndex - said.length, header.lastIndex - said.length + word.length, 'authorization')
}

const credential = /\s{1,3}([A-Za-z0-9._~+/-]{16,1024}={0,2})/y

/** `Bearer` and what follows it, wherever it stands. */
export const bearer: Look = (text, _, end) => {
  credential.lastIndex = end
  const said = credential.exec(text)?.[1]
  return said && looksRandom(said, 16)
    ? value(credential.lastIndex - said.length, credential.lastIndex, 'bearer token')
    : null
}

const cookie = /:\s{0,3}([^\r\n"'`]{1,2048})/y

/** The pairs of a `Cookie` or `Set-Cookie` header. */
export const cookies: Look = (text, _, end) => {
  cookie.lastIndex = end
  const said = cookie.exec(text)?.[1] ?? ''
  const pair = /^[\w.-]{1,60}=[^;\s]{8,}/.test(said)
  return pair && !said.includes('[redacted')
    ? value(cookie.lastIndex - said.length, cookie.lastIndex, 'cookie')
    : null
}

const userinfo = /([^\s:/@"'`<>?#]{0,256})(?::([^\s/"'`<>]{1,256}))?@/y

/** The password of an address, or a token that stands in the place of a name. */
export const urlPassword: Look = (text, _, end) => {
  userinfo.lastIndex = end
  const [, user = '', password] = userinfo.exec(text) ?? []
  const secret = password ?? (looksRandom(user, 20) ? user : '')
  if (secret === '' || /^(?:[$<{*%]|\[redacted|x{3,}$)/i.test(secret)) return null
  return value(userinfo.lastIndex - 1 - secret.length, userinfo.lastIndex - 1, 'url password')
}
