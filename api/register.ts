import type { FastifyInstance, FastifyReply, FastifyRequest } from 'fastify'
import { z } from 'zod'
import { accessOf } from '../core/people/methods.ts'
import type { RouteDeps } from './deps.ts'
import { parsePart, tooMany, unavailable } from './errors.ts'
import type { NeededScope, Route } from './route.ts'
import type { Streamed, Streams } from './stream.ts'

/** Streams that may be open at once. */
const MAX_STREAMS = 200

/** Gives the server an endpoint. Throws for one that does not say who may call it, or that the table of methods lacks. */
export function registerRoute(
  app: FastifyInstance,
  deps: RouteDeps & { streams: Streams; deadlineMs: number },
  route: Route,
): void {
  const scopes = scopesOf(route)
  const method = `${route.method} ${route.url}`
  if (accessOf(method) === null) throw new Error(`${method} is not in the table of methods`)
  app.route({
    method: route.method,
    url: route.url,
    exposeHeadRoute: route.method === 'GET',
    onRequest: async (request) => {
      if (scopes !== null) request.caller = await deps.guard.check(request, scopes, method)
    },
    handler: async (request, reply) => {
      const done = await within(
        route.deadlineMs ?? deps.deadlineMs,
        route.handler(deps, inputOf(route, request)),
      )
      return send(deps.streams, route, done, reply)
    },
  })
}

function scopesOf({
  method,
  url,
  scope,
}: Route): readonly Exclude<NeededScope, readonly unknown[] | null>[] | null {
  const scopes = typeof scope === 'string' ? [scope] : scope
  if (scopes !== null && !(scopes?.length > 0)) throw new Error(`${method} ${url} names no scope`)
  return scopes
}

const nothing = z.unknown().transform(() => undefined)

const inputOf = (route: Route, request: FastifyRequest) => ({
  params: parsePart('path', route.params ?? nothing, request.params),
  query: parsePart('query', route.query ?? nothing, request.query),
  body: parsePart('body', route.body ?? nothing, request.body),
  caller: request.caller as never,
  request,
})

/** Nobody waits for ever: 503 after the deadline. What was begun may still be done. */
async function within<T>(ms: number, work: Promise<T>): Promise<T> {
  let timer: NodeJS.Timeout | undefined
  const late = new Promise<never>((_, reject) => {
    timer = setTimeout(
      () => reject(unavailable('This took too long, and may still be done; look before you ask again.')),
      ms,
    )
  })
  return Promise.race([work, late]).finally(() => clearTimeout(timer))
}

async function send(
  streams: Streams,
  route: Route,
  { status, body }: { status: number; body: unknown },
  reply: FastifyReply,
): Promise<unknown> {
  const declared = route.answers[status]
  if (declared === undefined) throw new Error(`${route.method} ${route.url} answers ${status} undeclared`)
  reply.status(status)
  if (declared === null) return reply.send()
  if (!('kind' in declared)) return reply.send(body)
  reply.header('content-type', declared.media)
  if (declared.kind === 'text') return reply.headers(declared.headers ?? {}).send(body)
  if (reply.request.method === 'HEAD') return reply.send('')
  if (streams.size >= MAX_STREAMS) throw tooMany(5000, 'Too many streams are open; close some.')
  reply.hijack()
  const headers = { ...reply.getHeaders(), 'cache-control': 'no-store', 'x-accel-buffering': 'no' }
  reply.raw.writeHead(status, headers as Record<string, string>)
  reply.raw.flushHeaders()
  return streams.serve(reply.raw, body as Streamed)
}
