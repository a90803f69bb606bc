import { timingSafeEqual } from 'node:crypto'
import { ApiError } from './apiError.ts'
import { callMethod, type Reply, toReply } from './callMethod.ts'
import { type Exchange, readBody, send, sendJson } from './http.ts'
import { readParams } from './readParams.ts'
import type { World } from './world.ts'

const bodyLimit = 1024 * 1024
const uploadLimit = 20 * 1024 * 1024

/** Serves `/bot<token>/<method>` and `/file/bot<token>/<path>`. False: not one of these. */
export async function serveBotApi(world: World, exchange: Exchange): Promise<boolean> {
  const path = decodePath(exchange.url.pathname)
  const call = /^\/bot([^/]+)\/(\w+)$/.exec(path)
  const file = /^\/file\/bot([^/]+)\/documents\/([\w-]+)$/.exec(path)
  const token = call?.[1] ?? file?.[1]
  if (token === undefined)
    return /^\/(?:file\/)?bot/.test(path) && answer(exchange, toReply(new ApiError(404, 'Not Found')))
  if (!sameText(token, world.options.token))
    return answer(exchange, toReply(new ApiError(401, 'Unauthorized')))
  if (file?.[2]) return serveFile(world, exchange, file[2])
  return answer(exchange, await perform(world, exchange, call?.[2] ?? ''))
}

function decodePath(path: string): string {
  try {
    return decodeURIComponent(path)
  } catch {
    return path
  }
}

/** Compares secrets in constant time. */
export function sameText(a: string, b: string): boolean {
  const [left, right] = [Buffer.from(a), Buffer.from(b)]
  return left.length === right.length && timingSafeEqual(left, right)
}

async function perform(world: World, { req, res, url }: Exchange, method: string): Promise<Reply> {
  const cancelled = new AbortController()
  res.on('close', () => cancelled.abort())
  try {
    const type = req.headers['content-type'] ?? ''
    const body = await readBody(req, type.startsWith('multipart/') ? uploadLimit : bodyLimit)
    return await callMethod(world, method, await readParams(body, type, url.searchParams), cancelled.signal)
  } catch (error) {
    return toReply(error)
  }
}

function answer({ req, res }: Exchange, reply: Reply): true {
  if (reply.cut) req.socket.destroy()
  else if (!res.destroyed) sendJson(res, reply.status, reply.body)
  return true
}

async function serveFile(world: World, { res }: Exchange, id: string): Promise<true> {
  const bytes = await world.shelf.get(id)
  if (bytes) send(res, 200, 'application/octet-stream', bytes)
  else sendJson(res, 404, toReply(new ApiError(404, 'Not Found')).body)
  return true
}
