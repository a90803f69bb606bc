import { z } from 'zod'
import { docsStyleHash } from '../docsStyle.ts'
import { ok, type Route, route } from '../route.ts'

/** Nothing on the page comes from elsewhere, and nothing of it runs. */
const page = {
  kind: 'text',
  media: 'text/html; charset=utf-8',
  headers: {
    'content-security-policy': `default-src 'none'; style-src '${docsStyleHash}'; frame-ancestors 'none'; base-uri 'none'; form-action 'none'`,
  },
} as const

/** The description of the API, for programs and for people. */
export const docsRoutes: readonly Route[] = [
  route({
    method: 'GET',
    url: '/v1/openapi.json',
    scope: null,
    summary: 'This API as an OpenAPI 3.1 document.',
    answers: { 200: z.looseObject({ openapi: z.string() }) },
    async handler({ described }) {
      return ok(described.openapi())
    },
  }),
  route({
    method: 'GET',
    url: '/docs',
    scope: null,
    summary: 'This API as a page for people.',
    answers: { 200: page },
    async handler({ described }) {
      return ok(described.page())
    },
  }),
]
