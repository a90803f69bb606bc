import { Agent as HttpAgent, request } from 'node:http'
import { request as tlsRequest } from 'node:https'
import { messageOf } from '../config/logger.ts'

/**
 * What came of a call to a gateway. `undelivered`: it surely did not arrive, or was turned down. `unknown`: it may
 * have arrived; only the same call again can tell. `status` null: there was no answer at all. `code`: of the error that
 * was answered, if it tells one.
 */
export type CallOutcome =
  | { kind: 'ok'; status: number; body: unknown }
  | { kind: 'undelivered' | 'unknown'; status: number | null; reason: string; code?: string }

const keepAlive = new HttpAgent({ keepAlive: true, maxSockets: 32 })
const TIMEOUT_MS = 5000

/** Sends one JSON request to a gateway, with its bearer token. Never throws. */
export function callGateway(
  token: string,
  method: 'GET' | 'POST',
  url: string,
  body?: unknown,
): Promise<CallOutcome> {
  return new Promise((resolve) => {
    const target = new URL(url)
    const text = body === undefined ? '' : JSON.stringify(body)
    const secure = target.protocol === 'https:'
    const req = (secure ? tlsRequest : request)(target, {
      method,
      ...(secure ? {} : { agent: keepAlive }),
      headers: {
        authorization: `Bearer ${token}`,
        'content-type': 'application/json',
        'content-length': Buffer.byteLength(text),
      },
      timeout: TIMEOUT_MS,
    })
    req.on('timeout', () => req.destroy(new Error('no answer in time')))
    req.on('error', (error: NodeJS.ErrnoException) => {
      const refused =
        error.code === 'ECONNREFUSED' || error.code === 'ENOTFOUND' || error.code === 'EHOSTUNREACH'
      resolve({ kind: refused ? 'undelivered' : 'unknown', status: null, reason: messageOf(error) })
    })
    req.on('response', (res) => {
      const chunks: Buffer[] = []
      res.on('data', (chunk: Buffer) => chunks.push(chunk))
      res.on('error', (error) => resolve({ kind: 'unknown', status: null, reason: messageOf(error) }))
      res.on('end', () => resolve(outcomeOf(res.statusCode ?? 0, Buffer.concat(chunks).toString())))
    })
    req.end(text)
  })
}

function outcomeOf(status: number, text: string): CallOutcome {
  let body: unknown = null
  try {
    body = JSON.parse(text)
  } catch {
    // A body that is not JSON says no more than its status.
  }
  if (status >= 200 && status < 300) return { kind: 'ok', status, body }
  const error = (body as { error?: { code?: string; message?: string } } | null)?.error
  const kind = status === 503 || (status >= 400 && status < 500) ? 'undelivered' : 'unknown'
  return {
    kind,
    status,
    reason: error?.message ?? `status ${status}`,
    ...(error?.code ? { code: error.code } : {}),
  }
}
