import { createHmac } from 'node:crypto'
import type { IncomingMessage } from 'node:http'
import { sameText } from './botApiRoutes.ts'

/** Who may see the page: whoever opened a one-time link, kept by a cookie over restarts. */
export type PageAccess = {
  /** A key nobody has used yet. */
  key(): string
  /** Uses a key up. Returns the cookie to set, or null for a wrong or used key. */
  redeem(key: string): string | null
  admits(req: IncomingMessage): boolean
}

/** `session` outlives restarts; the first key is `secret`, each later one is derived from it. */
export function createPageAccess(secret: string, session: string, port: () => number): PageAccess {
  let used = 0
  const key = () =>
    used === 0 ? secret : createHmac('sha256', secret).update(String(used)).digest('base64url')
  // Cookies ignore the port: the name keeps two playgrounds on one machine apart.
  const name = () => `skynet_playground_${port()}`
  return {
    key,
    redeem(given) {
      if (!sameText(given, key())) return null
      used += 1
      return `${name()}=${session}; Path=/; HttpOnly; SameSite=Strict; Max-Age=31536000`
    },
    admits: (req) => sameText(readCookie(req, name()), session),
  }
}

function readCookie(req: IncomingMessage, name: string): string {
  const pairs = (req.headers.cookie ?? '').split(/;\s*/)
  return pairs.find((pair) => pair.startsWith(`${name}=`))?.slice(name.length + 1) ?? ''
}
