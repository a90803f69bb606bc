import type { RouteDeps } from './deps.ts'
import { docsPageOf } from './docsPage.ts'
import { openapiOf } from './openapi.ts'
import type { Route } from './route.ts'

/**
 * The OpenAPI document of these endpoints, and the page for people. Each is made when it is first asked for: the start
 * has better things to do.
 */
export function described(routes: readonly Route[]): RouteDeps['described'] {
  let openapi: { openapi: string } | undefined
  let page: string | undefined
  return {
    openapi: () => {
      openapi ??= openapiOf(routes)
      return openapi
    },
    page: () => {
      page ??= docsPageOf(routes)
      return page
    },
  }
}
