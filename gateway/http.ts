import { createServer, type IncomingMessage, type Server, type ServerResponse } from 'node:http'
import { type Logger, messageOf } from '../core/config/logger.ts'
import { type Door, judgeCall } from '../core/doors/judgeCall.ts'
import { answerHeaders } from '../core/doors/pageHeaders.ts'
import { sameSecret } from '../core/doors/sameSecret.ts'

/** An answer with a status and a code, as every error of the gateway leaves it. */
export class HttpError extends Error {
  readonly status: number
  readonly code: string

  constructor(status: number, code: string, message: string) {
    super(message)
    this.status = status
    this.code = code
  }
}

export type Answer = { status: number; body: unknown }
export type Call = { id: string; body: unknown; address: string }
export type RouteHandler = {
  method: 'GET' | 'POST'
  /** A `:id` at its end stands for one path segment. */
  path: string
  /** False: anybody may call it. */
  guarded: boolean
  /** Most bytes of a body. */
  limit: number
  handle(call: Call): Answer | Promise<Answer>
}

/** The gateway's HTTP side: no calls of foreign pages, a bearer token at the door, JSON in and out. */
export function createHttp(routes: RouteHandler[], token: string, door: Door, log: Logger): Server {
  const isAllowed = bearerCheck(token)
  const server = createServer((request, response) => {
    answer(request, routes, door, isAllowed)
      .catch((error: unknown): Answer => errorAnswer(error, log))
      .then(({ status, body }) => send(response, status, body))
  })
  server.headersTimeout = 10_000
  server.requestTimeout = 30_000
  server.keepAliveTimeout = 65_000
  return server
}

async function answer(
  request: IncomingMessage,
  routes: RouteHandler[],
  door: Door,
  isAllowed: (header: string | undefined) => boolean,
): Promise<Answer> {
  refuseAtDoor(door, request)
  const path = (request.url ?? '/').split('?')[0] ?? '/'
  const found = routes
    .map((route) => ({ route, id: match(route.path, path) }))
    .filter(({ id }) => id !== null)
  const { route, id } = found.find(({ route }) => takes(route, request.method)) ?? {
    route: undefined,
    id: null,
  }
  if (route?.guarded !== false && !isAllowed(request.headers.authorization)) {
    throw new HttpError(401, 'UNAUTHORIZED', 'This needs the gateway token as bearer.')
  }
  if (!route)
    throw found.length > 0
      ? new HttpError(405, 'METHOD_NOT_ALLOWED', 'Not with this method.')
      : new HttpError(404, 'NOT_FOUND', 'There is nothing here.')
  const body = route.method === 'POST' ? await readJson(request, route.limit) : null
  return route.handle({ id: id ?? '', body, address: request.socket.remoteAddress ?? '' })
}

/** HEAD is a GET whose answer has no body. */
const takes = (route: RouteHandler, method = ''): boolean =>
  route.method === method || (route.method === 'GET' && method === 'HEAD')

function match(pattern: string, path: string): string | null {
  if (!pattern.endsWith('/:id')) return pattern === path ? '' : null
  const prefix = pattern.slice(0, -3)
  const rest = path.slice(prefix.length)
  return path.startsWith(prefix) && rest !== '' && !rest.includes('/') ? rest : null
}

const bearerCheck =
  (token: string) =>
  (header: string | undefined): boolean =>
    header !== undefined && sameSecret(header, `Bearer ${token}`)

/** Throws for a call that nobody may make, such as one of another site's page. */
export function refuseAtDoor(door: Door, { method = 'GET', url = '/', headers }: IncomingMessage): void {
  const refused = judgeCall(door, { method, url, headers })
  if (refused) throw new HttpError(refused.status, refused.code, refused.message)
}

async function readJson(request: IncomingMessage, limit: number): Promise<unknown> {
  const chunks: Buffer[] = []
  let size = 0
  for await (const chunk of request as AsyncIterable<Buffer>) {
    size += chunk.length
    if (size > limit) throw new HttpError(413, 'TOO_LARGE', `The body is larger than ${limit} bytes.`)
    chunks.push(chunk)
  }
  try {
    return JSON.parse(Buffer.concat(chunks).toString('utf8'))
  } catch {
    throw new HttpError(400, 'INVALID', 'The body is not JSON.')
  }
}

function errorAnswer(error: unknown, log: Logger): Answer {
  if (error instanceof HttpError)
    return { status: error.status, body: { error: { code: error.code, message: error.message } } }
  log.error('a request failed', {
    error: messageOf(error),
    stack: error instanceof Error ? error.stack : undefined,
  })
  return {
    status: 500,
    body: { error: { code: 'INTERNAL', message: 'Something went wrong in the gateway; its log says what.' } },
  }
}

function send(response: ServerResponse, status: number, body: unknown): void {
  const text = Buffer.from(JSON.stringify(body))
  const headers: Record<string, string | number> = {
    'content-type': 'application/json',
    'content-length': text.length,
    ...answerHeaders,
  }
  if (status === 413) headers.connection = 'close'
  response.writeHead(status, headers).end(text)
}
