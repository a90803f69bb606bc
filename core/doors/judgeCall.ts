import type { IncomingHttpHeaders } from 'node:http'
import { isLoopback } from './loopback.ts'

/** A listener as its guard sees it: where it listens, and under which other names it may be asked for. */
export type Door = {
  host: string
  /** Host names besides its own and loopback's: those of its public addresses. */
  names: readonly string[]
}

export type Call = { method: string; url: string; headers: IncomingHttpHeaders }

type RefusalCode = 'TOKEN_IN_URL' | 'FOREIGN_HOST' | 'FOREIGN_ORIGIN'
/** Why a call is refused at the door, whoever makes it. */
export type Refusal = {
  status: 400 | 403
  code: RefusalCode
  message: string
}

/** Parameters in which others take tokens; none of ours has such a name. */
const tokenNames = new Set(
  'token,access_token,auth,auth_token,authorization,bearer,api_key,apikey,api-key,key,secret,credential,password'.split(
    ',',
  ),
)

/**
 * What no call may be, before anybody asks who makes it: one with a token in its address (it would stand in logs and
 * histories), one for a name that is not this listener's (a page whose name was made to point here: DNS rebinding;
 * asked of loopback listeners only), and one that a browser makes for another site's page. Null: it may go on. Pure.
 */
export function judgeCall(door: Door, { method, url, headers }: Call): Refusal | null {
  if (hasToken(url))
    return refuse(
      400,
      'TOKEN_IN_URL',
      'A token has no place in an address: send it in the header Authorization, and replace this one, it may stand in logs now.',
    )
  const host = hostOf(headers.host)
  if (host !== '' && isLoopback(door.host) && !isLoopback(host) && !door.names.includes(host))
    return refuse(
      403,
      'FOREIGN_HOST',
      'This listener answers only under 127.0.0.1, localhost, [::1] and the name of its public address, if one is set.',
    )
  if (isForeign(door, method, headers))
    return refuse(
      403,
      'FOREIGN_ORIGIN',
      'Pages of other sites may not call this; no origin but its own is let in.',
    )
  return null
}

const refuse = (status: Refusal['status'], code: Refusal['code'], message: string): Refusal => ({
  status,
  code,
  message,
})

function hasToken(url: string): boolean {
  const query = url.split('?').slice(1).join('?')
  if (query === '') return false
  return [...new URLSearchParams(query).keys()].some((name) => tokenNames.has(name.toLowerCase()))
}

/** The name of a Host header, without its port, in small letters; empty for none. */
const hostOf = (header: string | undefined): string =>
  (header ?? '')
    .trim()
    .toLowerCase()
    .replace(/:\d{1,5}$/, '')

/** Links lead here from anywhere; everything else that a browser sends must come from a page of this origin. */
function isForeign(door: Door, method: string, headers: IncomingHttpHeaders): boolean {
  const { origin, host } = headers
  if (origin !== undefined && !isOwnOrigin(door, origin, host)) return true
  const site = headers['sec-fetch-site']
  if (site === undefined || site === 'same-origin' || site === 'none') return false
  return !(
    headers['sec-fetch-mode'] === 'navigate' &&
    headers['sec-fetch-dest'] === 'document' &&
    isReading(method)
  )
}

const isReading = (method: string): boolean => method === 'GET' || method === 'HEAD'

function isOwnOrigin({ names }: Door, origin: string, host: string | undefined): boolean {
  if (!URL.canParse(origin)) return false
  const { host: from, hostname } = new URL(origin)
  return from === host?.toLowerCase() || names.includes(hostname)
}

/** The host name of each address, as `Door.names` takes them; loopback's are known anyway. */
export const namesOf = (urls: readonly (string | null | undefined)[]): string[] =>
  urls
    .flatMap((url) => (url && URL.canParse(url) ? [new URL(url).hostname] : []))
    .filter((name) => !isLoopback(name))
