import { z } from 'zod'
import { ErrorBody } from '../core/protocol/http.ts'
import type { Route } from './route.ts'

type Json = Record<string, unknown>

/** A schema as JSON Schema 2020-12, without what its type or format says already. */
export function jsonSchema(schema: z.ZodType): Json {
  const { $schema: _, ...rest } = z.toJSONSchema(schema, {
    io: 'input',
    unrepresentable: 'any',
    override: ({ jsonSchema: part }) => {
      if (part.format === 'uuid' || part.format === 'date-time') delete part.pattern
      if (part.minimum === Number.MIN_SAFE_INTEGER) delete part.minimum
      if (part.maximum === Number.MAX_SAFE_INTEGER) delete part.maximum
    },
  })
  return rest
}

/** `/v1/runs/:id` as OpenAPI writes it. */
export const templateOf = (url: string): string => url.replaceAll(/:(\w+)/g, '{$1}')

/** The OpenAPI 3.1 document of these endpoints. Pure. */
export function openapiOf(routes: readonly Route[]): Json & { openapi: string } {
  const paths: Record<string, Json> = {}
  for (const route of routes) {
    const path = templateOf(route.url)
    paths[path] = { ...paths[path], [route.method.toLowerCase()]: operationOf(route) }
  }
  return {
    openapi: '3.1.0',
    info: {
      title: 'SKYNET control plane',
      version: '1',
      summary: 'Work on your own machines: planned, approved, run and told of.',
      license: { name: 'MIT License' },
    },
    servers: [{ url: '/' }],
    paths,
    components: {
      schemas: { Error: jsonSchema(ErrorBody) },
      securitySchemes: {
        token: { type: 'http', scheme: 'bearer', description: 'Made by `skynet token new`, with scopes.' },
      },
    },
  }
}

function operationOf(route: Route): Json {
  const scopes = scopesOf(route)
  return {
    operationId: nameOf(route),
    summary: route.summary,
    ...(route.description ? { description: route.description } : {}),
    tags: [route.url.split('/').find((part) => part !== '' && part !== 'v1') ?? 'api'],
    security: scopes.map((scope) => ({ token: [scope] })),
    parameters: [...parametersOf('path', route.params), ...parametersOf('query', route.query)],
    ...(route.body
      ? {
          requestBody: {
            required: !route.body.safeParse(undefined).success,
            content: {
              'application/json': {
                schema: jsonSchema(route.body),
                ...(route.example === undefined ? {} : { example: route.example }),
              },
            },
          },
        }
      : {}),
    responses: { ...errorsOf(route), ...answersOf(route) },
  }
}

export const scopesOf = ({ scope }: Pick<Route, 'scope'>): readonly string[] =>
  scope === null ? [] : typeof scope === 'string' ? [scope] : scope

const nameOf = ({ method, url }: Route): string =>
  `${method.toLowerCase()}${url
    .replace('/v1', '')
    .split(/[/:._-]+/)
    .map((word) => word.slice(0, 1).toUpperCase() + word.slice(1))
    .join('')}`

function parametersOf(place: 'path' | 'query', schema: z.ZodType | undefined): Json[] {
  if (!schema) return []
  const { properties = {}, required = [] } = jsonSchema(schema) as {
    properties?: Record<string, Json>
    required?: string[]
  }
  return Object.entries(properties).map(([name, { description, ...rest }]) => ({
    name,
    in: place,
    required: place === 'path' || required.includes(name),
    ...(description === undefined ? {} : { description }),
    schema: rest,
  }))
}

/** What any endpoint of its kind may answer, and what is this one's own. */
function errorsOf(route: Route): Json {
  const takes = route.params !== undefined || route.query !== undefined || route.body !== undefined
  const told: Record<number, string | undefined> = {
    ...(takes || route.method === 'POST'
      ? { 400: 'Something sent is wrong; `details` names the fields.' }
      : {}),
    ...(route.scope === null
      ? {}
      : { 401: 'No valid token.', 403: 'The token lacks the scope.', 429: 'Too many requests.' }),
    ...(route.method === 'POST'
      ? { 413: 'The body is larger than 8 MB.', 415: 'The body is not JSON.' }
      : {}),
    503: 'The database does not answer, or the request took too long.',
    ...route.errors,
  }
  const schema = { $ref: '#/components/schemas/Error' }
  return Object.fromEntries(
    Object.entries(told).map(([status, description]) => [
      status,
      { description, content: { 'application/json': { schema } } },
    ]),
  )
}

const meanings: Record<number, string> = {
  200: 'Done.',
  201: 'Made.',
  202: 'Taken, and not done yet.',
  204: 'Nothing there.',
  503: 'Not all is well.',
}

const answersOf = (route: Route): Json =>
  Object.fromEntries(
    Object.entries(route.answers).map(([status, schema]) => [
      status,
      { description: meanings[Number(status)] ?? 'Answer.', ...contentOf(schema) },
    ]),
  )

function contentOf(answer: Route['answers'][number]): Json {
  if (answer === null || answer === undefined) return {}
  if (!('kind' in answer)) return { content: { 'application/json': { schema: jsonSchema(answer) } } }
  if (answer.kind === 'text') return { content: { [answer.media]: { schema: { type: 'string' } } } }
  return {
    content: { [answer.media]: { schema: { type: 'string' }, 'x-message': jsonSchema(answer.message) } },
  }
}
