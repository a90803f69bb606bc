import { randomUUID } from 'node:crypto'
import fastify, { type FastifyInstance, type FastifyReply, type FastifyRequest } from 'fastify'
import { messageOf } from '../core/config/logger.ts'
import { judgeCall } from '../core/doors/judgeCall.ts'
import { answerHeaders } from '../core/doors/pageHeaders.ts'
import { redactFields } from '../core/redaction/redactFields.ts'
import { tellFault } from '../core/storage/tellFault.ts'
import { type Caller, Guard } from './auth.ts'
import type { ApiDeps, RouteDeps } from './deps.ts'
import { described } from './described.ts'
import { ApiError, errorBody, errorFor } from './errors.ts'
import { Metrics } from './metrics/metrics.ts'
import { type ApiOptions, defaultOptions } from './options.ts'
import { registerRoute } from './register.ts'
import type { Route } from './route.ts'
import { routes } from './routes.ts'
import { Streams } from './stream.ts'

declare module 'fastify' {
  interface FastifyRequest {
    caller: Caller | null
  }
}

const MAX_BODY_BYTES = 8 * 1024 * 1024

/** The REST control plane, not yet listening. Every answer but success has the body of `ErrorBody`. */
export function createApi(deps: ApiDeps, given: Partial<ApiOptions> = {}): FastifyInstance {
  const options = { ...defaultOptions, ...given }
  const app = fastify({
    bodyLimit: MAX_BODY_BYTES,
    requestIdHeader: false,
    genReqId: (request) => requestId(request.headers['x-request-id']),
    routerOptions: { maxParamLength: 200 },
    forceCloseConnections: true,
    frameworkErrors: (error, request, reply) => void answerError(deps, error, request, reply),
    clientErrorHandler: (_error, socket) => {
      const body = JSON.stringify(errorBody(new ApiError(400, 'INVALID', 'This is not HTTP.')))
      if (socket.writable)
        socket.end(
          `HTTP/1.1 400 Bad Request\r\ncontent-type: application/json\r\ncontent-length: ${body.length}\r\nconnection: close\r\n\r\n${body}`,
        )
    },
  })
  app.decorateRequest('caller', null)
  app.addHook('onRequest', async (request, reply) => {
    reply.headers(answerHeaders).header('x-request-id', request.id)
    const refused = judgeCall(options.door, request)
    if (refused) throw new ApiError(refused.status, refused.code, refused.message)
  })
  app.setErrorHandler((error, request, reply) => answerError(deps, error, request, reply))
  app.setNotFoundHandler((request, reply) => {
    const methods = methodsAt(routes, request.url)
    if (methods.length > 0) reply.header('allow', methods.join(', '))
    return answerError(deps, nothingThere(methods), request, reply)
  })
  takeJson(app)
  const streams = new Streams()
  const metrics = new Metrics()
  const routeDeps: RouteDeps = {
    ...deps,
    guard: new Guard(deps.db, options),
    metrics,
    described: described(routes),
  }
  for (const route of routes)
    registerRoute(app, { ...routeDeps, streams, deadlineMs: options.deadlineMs }, route)
  app.addHook('onListen', async () => {
    void metrics.begin(deps.db).catch((error) => tellFault(deps.log, 'metrics', error))
  })
  app.addHook('onResponse', async (request, reply) => {
    if (reply.getHeader('content-type') !== 'text/event-stream') measure(metrics, request, reply)
  })
  app.addHook('preClose', () => streams.stop())
  app.addHook('onClose', async () => metrics.stop())
  return app
}

const measure = (metrics: Metrics, { method, routeOptions }: FastifyRequest, reply: FastifyReply): void =>
  metrics.answered(
    { method, route: routeOptions.url ?? 'none', status: String(reply.statusCode) },
    reply.elapsedTime,
  )

/** The caller's own, when it is one; it stands in the answer and in the log. */
const requestId = (given: string | string[] | undefined): string =>
  typeof given === 'string' && /^[\w.:-]{1,100}$/.test(given) ? given : randomUUID()

function answerError(
  deps: Pick<ApiDeps, 'log' | 'redact'>,
  error: unknown,
  request: FastifyRequest,
  reply: FastifyReply,
): FastifyReply {
  const answer = errorFor(error)
  const line = `${request.method} ${request.url.split('?')[0]?.slice(0, 500)} [${request.id}]: ${messageOf(error)}`
  if (answer.status === 500) deps.log.error(line)
  else if (answer.status > 500) tellFault(deps.log, line, error)
  if (answer.retryAfterS !== undefined) reply.header('retry-after', answer.retryAfterS)
  reply.header('x-request-id', request.id)
  return reply.status(answer.status).send(redactFields(errorBody(answer), quoted, deps.redact))
}

/** Where an answer may quote what it was sent. */
const quoted = new Set(['message'])

/** The methods that an address knows. */
const methodsAt = (known: readonly Route[], url: string): string[] => {
  const path = url.split('?')[0] ?? ''
  return known
    .filter((route) =>
      new RegExp(`^${route.url.replaceAll('.', '\\.').replaceAll(/:\w+/g, '[^/]+')}$`).test(path),
    )
    .flatMap((route) => (route.method === 'GET' ? ['GET', 'HEAD'] : [route.method]))
}

const nothingThere = (methods: readonly string[]): ApiError =>
  methods.length > 0
    ? new ApiError(405, 'METHOD_NOT_ALLOWED', `This address takes ${methods.join(' and ')} only.`)
    : new ApiError(404, 'NOT_FOUND', 'There is nothing at this address; /docs lists what there is.')

/** JSON alone; an empty body is none, whatever its header says. */
function takeJson(app: FastifyInstance): void {
  const parse = app.getDefaultJsonParser('error', 'error')
  app.removeAllContentTypeParsers()
  app.addContentTypeParser<string>('application/json', { parseAs: 'string' }, (request, body, done) =>
    body.trim() === '' ? done(null, undefined) : parse(request, body, done),
  )
}
