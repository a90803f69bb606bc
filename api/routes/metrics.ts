import { ok, type Route, route } from '../route.ts'

const page = { kind: 'text', media: 'text/plain; version=0.0.4; charset=utf-8' } as const

/** For Prometheus, which asks at `/metrics` unless it is told otherwise. */
export const metricsRoutes: readonly Route[] = ['/metrics', '/v1/metrics'].map((url) =>
  route({
    method: 'GET',
    url,
    scope: 'read',
    summary: 'Queue, states, latencies, deliveries, agents, this process and its requests, for Prometheus.',
    answers: { 200: page },
    async handler({ db, metrics }) {
      return ok(await metrics.text(db))
    },
  }),
)
