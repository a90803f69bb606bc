import { createHash, timingSafeEqual } from 'node:crypto'
import { createServer, type IncomingMessage, type Server, type ServerResponse } from 'node:http'
import { type Logger, messageOf } from '../core/config/logger.ts'

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

/** The gateway's HTTP side: a bearer token at the door, JSON in and out. */
export function createHttp(routes: RouteHandler[], token: string, log: Logger): Server {
  const isAllowed = bearerCheck(token)
  const server = createServer((request, response) => {
    answer(request, routes, isAllowed)
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
  isAllowed: (header: string | undefined) => boolean,
): Promise<Answer> {
  const path = (request.url ?? '/').split('?')[0] ?? '/'
  const found = routes
    .map((route) => ({ route, id: match(route.path, path) }))
    .filter(({ id }) => id !== null)
  const { route, id } = found.find(({ route }) => route.method === request.method) ?? {
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

function match(pattern: string, path: string): string | null {
  if (!pattern.endsWith('/:id')) return pattern === path ? '' : null
  const prefix = pattern.slice(0, -3)
  const rest = path.slice(prefix.length)
  return path.startsWith(prefix) && rest !== '' && !rest.includes('/') ? rest : null
}

/** Compares hashes, so that neither content nor length shows in the time it takes. */
function bearerCheck(token: string): (header: string | undefined) => boolean {
  const hash = (text: string) => createHash('sha256').update(text).digest()
  const wanted = hash(`Bearer ${token}`)
  return (header) => header !== undefined && timingSafeEqual(hash(header), wanted)
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
  }
  if (status === 413) headers.connection = 'close'
  response.writeHead(status, headers).end(text)
}
