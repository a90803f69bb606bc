import type { Deps } from '../core/deps.ts'
import type { Guard } from './auth.ts'
import type { Metrics } from './metrics/metrics.ts'

/** What the API is started with. */
export type ApiDeps = Deps & {
  /** The public key that agents pin. */
  controlKey: string
  botReady: () => boolean
  /** The language models that are set up, in the order they are asked; without it, the one that plans. */
  providers?: readonly { name: string; models: readonly string[] }[]
}

/** What a handler may ask for besides: the parts of the API itself. */
export type RouteDeps = ApiDeps & {
  guard: Guard
  metrics: Metrics
  /** The OpenAPI document of this very server, and the page for people. */
  described: { openapi(): { openapi: string }; page(): string }
}
