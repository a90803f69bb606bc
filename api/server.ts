import fastify, { type FastifyInstance } from 'fastify'
import { messageOf } from '../core/config/logger.ts'
import type { Deps } from '../core/deps.ts'
import { requireScope } from './auth.ts'
import { ApiError } from './errors.ts'
import { fleetRoutes } from './routes/fleet.ts'
import { healthRoutes } from './routes/health.ts'

const MAX_BODY_BYTES = 8 * 1024 * 1024

export type ApiDeps = Pick<Deps, 'db' | 'bus' | 'wake' | 'log' | 'redact'> & {
  controlKey: string
  botReady: () => boolean
}

/** The REST control plane, not yet listening. Every answer but success has the body of `ErrorBody`. */
export function createApi(deps: ApiDeps): FastifyInstance {
  const app = fastify({
    bodyLimit: MAX_BODY_BYTES,
    requestIdHeader: 'x-request-id',
    routerOptions: { maxParamLength: 200 },
    forceCloseConnections: true,
  })
  app.setErrorHandler((error: Error & { statusCode?: number }, request, reply) => {
    const status = error instanceof ApiError ? error.status : (error.statusCode ?? 500)
    const code =
      error instanceof ApiError
        ? error.code
        : status === 413
          ? 'TOO_LARGE'
          : status < 500
            ? 'INVALID'
            : 'INTERNAL'
    if (status >= 500) deps.log.error(`${request.method} ${request.url}: ${messageOf(error)}`)
    const message = status >= 500 ? 'Something went wrong here; the log has the details.' : error.message
    const details = error instanceof ApiError && error.details !== undefined ? { details: error.details } : {}
    return reply.status(status).send({ error: { code, message, ...details } })
  })
  app.setNotFoundHandler((_request, reply) =>
    reply.status(404).send({ error: { code: 'NOT_FOUND', message: 'There is nothing at this address.' } }),
  )
  fleetRoutes(app, deps, requireScope(deps))
  healthRoutes(app, deps)
  return app
}
