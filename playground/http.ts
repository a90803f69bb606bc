import type { IncomingMessage, ServerResponse } from 'node:http'
import { ApiError } from './apiError.ts'

/** This machine's own names. */
export const loopbackHosts = new Set(['127.0.0.1', 'localhost', '[::1]'])

export type Exchange = { req: IncomingMessage; res: ServerResponse; url: URL }

/**
 * Why a request must not be served, or null. Guards against pages of other sites that reach for this
 * machine: a Host that is not loopback (DNS rebinding), a foreign Origin, a cross-site fetch.
 */
export function refusal(req: IncomingMessage): string | null {
  const host = req.headers.host ?? ''
  const hostname = host.replace(/:\d{1,5}$/, '')
  if (!loopbackHosts.has(hostname)) return 'This server answers only under 127.0.0.1, localhost or [::1].'
  const { origin } = req.headers
  if (origin !== undefined && origin !== `http://${host}`) return 'Requests from other sites are refused.'
  const site = req.headers['sec-fetch-site']
  const navigation =
    req.headers['sec-fetch-mode'] === 'navigate' && req.method === 'GET' && !isApiPath(req.url)
  if (site !== undefined && site !== 'same-origin' && site !== 'none' && !navigation) {
    return 'Requests from other sites are refused.'
  }
  return null
}

const isApiPath = (path = ''): boolean => /^\/(?:bot|file|api)/.test(path)

/** Reads a body of at most `limit` bytes; more is 413, in Telegram's words. */
export async function readBody(req: IncomingMessage, limit: number): Promise<Buffer> {
  const tooLarge = new ApiError(413, 'Request Entity Too Large')
  if (Number(req.headers['content-length'] ?? 0) > limit) throw tooLarge
  const parts: Buffer[] = []
  let size = 0
  for await (const part of req) {
    size += part.length
    if (size > limit) throw tooLarge
    parts.push(part)
  }
  return Buffer.concat(parts)
}

/** Answers with JSON that no cache keeps. */
export function sendJson(res: ServerResponse, status: number, body: unknown): void {
  send(res, status, 'application/json', JSON.stringify(body))
}

/** Answers with a body that no cache keeps and no browser reinterprets. */
export function send(res: ServerResponse, status: number, type: string, body: string | Buffer): void {
  res.writeHead(status, {
    'content-type': type,
    'cache-control': 'no-store',
    'x-content-type-options': 'nosniff',
    'content-length': Buffer.byteLength(body),
  })
  res.end(body)
}
