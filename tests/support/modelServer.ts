import { createServer, type IncomingMessage, type ServerResponse } from 'node:http'
import type { AddressInfo } from 'node:net'
import type { ProviderName } from '../../core/config/model.ts'
import { sendAnswer, sendRefused } from './modelAnswers.ts'
import { type RefusalName, refusals } from './providerFaults.ts'

/** What the server does with one request. */
export type ModelReply =
  /** Answers with this text, or this value as JSON. */
  | {
      kind: 'answer'
      content: string | object
      tokens_in?: number
      tokens_out?: number
      tokens_cached?: number
      /** What it cost, as OpenRouter tells it. */
      cost?: number
      finish_reason?: 'stop' | 'length' | 'content_filter'
      /** Of a stream: how many parts it comes in, with so many milliseconds before each but the first. */
      parts?: number
      pace_ms?: number
      /** Of a stream: the head comes at once, the first text so much later. */
      first_ms?: number
    }
  /** Declines, as OpenAI's models do under structured output. */
  | { kind: 'refusal'; text: string }
  /** A provider's error in the shape they share. */
  | { kind: 'error'; status: number; message?: string; code?: string; retry_after?: number }
  /** A refusal in the shape of the provider that the server plays. */
  | { kind: 'refuse'; as: RefusalName }
  /** A page of something between us and the provider. */
  | { kind: 'html'; status: number }
  /** A body that is not JSON, with status 200. */
  | { kind: 'invalid' }
  /** No choice at all. */
  | { kind: 'empty' }
  /** Answers nothing for so long, or until then, and then as `reply` says. */
  | { kind: 'slow'; ms: number; reply?: ModelReply }
  | { kind: 'wait'; until: Promise<unknown>; reply: ModelReply }
  /** Begins the answer and cuts the connection; `clean`: ends the stream as if it were whole. */
  | { kind: 'cut'; clean?: boolean; content?: string }
  /** A stream that begins well and then holds an error, as OpenRouter's do. */
  | { kind: 'error in stream'; content?: string }
  /** Takes the request and never says anything. */
  | { kind: 'hang' }

type ModelRequest = {
  path: string
  headers: Record<string, string | string[] | undefined>
  /** The request's JSON. */
  body: {
    model: string
    stream?: boolean
    messages: { role: string; content: string }[]
    response_format?: { type: string; json_schema?: { name: string; strict: boolean; schema: unknown } }
    [field: string]: unknown
  }
  /** True once the client gave up before the answer. */
  aborted: boolean
}

export type ModelServer = {
  /** Base URL for an OpenAI client. */
  url: string
  /** What came in, in order. */
  requests: ModelRequest[]
  /** More replies, after those that are left. */
  push(...replies: ModelReply[]): void
  /** Answers so, or as this says of each request, whenever the script is over; null: with status 500 again. */
  always(reply: ModelReply | ((body: ModelRequest['body']) => ModelReply) | null): void
  /** Forgets the script, and begins a new one. */
  reset(...replies: ModelReply[]): void
  /** How many connections are open just now. */
  open(): number
  close(): Promise<void>
}

function cutShort(res: ServerResponse, stream: boolean, what: Extract<ModelReply, { kind: 'cut' }>): void {
  if (!stream) {
    res.writeHead(200, { 'content-type': 'application/json', 'content-length': '5000' })
    res.write('{"id":"chatcmpl-test","choices":[{"index":0,"mess', () => res.destroy())
    return
  }
  const delta = { role: 'assistant', content: what.content ?? '{"half":' }
  const chunk = {
    id: 'chatcmpl-test',
    object: 'chat.completion.chunk',
    choices: [{ index: 0, delta, finish_reason: null }],
  }
  res.writeHead(200, { 'content-type': 'text/event-stream' })
  res.write(`data: ${JSON.stringify(chunk)}\n\n`, () => (what.clean ? res.end() : res.destroy()))
}

function reply(
  res: ServerResponse,
  provider: ProviderName,
  { model, stream = false }: ModelRequest['body'],
  what: ModelReply,
): void {
  if (res.destroyed) return
  const again = (next: ModelReply) => reply(res, provider, { model, stream, messages: [] }, next)
  switch (what.kind) {
    case 'answer':
      void sendAnswer(res, provider, { model, stream }, what)
      break
    case 'refusal':
      void sendAnswer(res, provider, { model, stream }, { content: '', refusal: what.text })
      break
    case 'empty':
      void sendAnswer(res, provider, { model, stream }, { content: '', empty: true })
      break
    case 'error':
      sendRefused(res, {
        status: what.status,
        headers: what.retry_after === undefined ? {} : { 'retry-after': String(what.retry_after) },
        body: {
          error: {
            ...{ message: what.message ?? `error ${what.status}`, type: 'test_error' },
            ...{ param: null, code: what.code ?? null },
          },
        },
      })
      break
    case 'refuse':
      sendRefused(res, refusals[provider][what.as])
      break
    case 'html':
      res.writeHead(what.status, { 'content-type': 'text/html' }).end('<html><h1>Bad Gateway</h1></html>')
      break
    case 'invalid':
      if (stream) res.writeHead(200, { 'content-type': 'text/event-stream' }).end('data: {"choices": [\n\n')
      else res.writeHead(200, { 'content-type': 'application/json' }).end('{"choices": [')
      break
    case 'cut':
      cutShort(res, stream, what)
      break
    case 'error in stream':
      if (stream)
        void sendAnswer(
          res,
          provider,
          { model, stream },
          { content: what.content ?? '{"half":', broken: true },
        )
      else sendRefused(res, { status: 200, body: { error: { code: 502, message: 'Provider disconnected' } } })
      break
    case 'hang':
      break
    case 'wait':
      void what.until.then(() => again(what.reply))
      break
    case 'slow':
      setTimeout(() => again(what.reply ?? { kind: 'answer', content: '{}' }), what.ms).unref()
  }
}

async function readBody(req: IncomingMessage): Promise<string> {
  const chunks: Buffer[] = []
  for await (const chunk of req) chunks.push(chunk as Buffer)
  return Buffer.concat(chunks).toString('utf8')
}

/**
 * An OpenAI-compatible server on loopback that answers with `script`, one reply a request, in order. A request
 * beyond the script gets status 500. Knows `POST .../chat/completions` only, whole and streamed. `provider`: whose
 * shapes it has.
 */
export async function startModelServer(
  script: ModelReply[] = [],
  { provider = 'openai' }: { provider?: ProviderName } = {},
): Promise<ModelServer> {
  const left = [...script]
  let otherwise: Parameters<ModelServer['always']>[0] = null
  const requests: ModelRequest[] = []
  const sockets = new Set<unknown>()
  const server = createServer(async (req, res) => {
    const body = JSON.parse((await readBody(req)) || '{}') as ModelRequest['body']
    if (!req.url?.endsWith('/chat/completions'))
      return sendRefused(res, { status: 404, body: { error: { message: 'not found' } } })
    const seen: ModelRequest = { path: req.url, headers: req.headers, body, aborted: false }
    requests.push(seen)
    res.on('close', () => {
      seen.aborted = !res.writableEnded
    })
    const over: ModelReply = { kind: 'error', status: 500, message: 'the script is over' }
    const rest = typeof otherwise === 'function' ? otherwise(body) : otherwise
    reply(res, provider, body, left.shift() ?? rest ?? over)
  })
  server.on('connection', (socket) => {
    sockets.add(socket)
    socket.on('close', () => sockets.delete(socket))
  })
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve))
  const { port } = server.address() as AddressInfo
  return {
    url: `http://127.0.0.1:${port}/v1`,
    requests,
    push: (...replies) => void left.push(...replies),
    always: (what) => {
      otherwise = what
    },
    reset: (...replies) => {
      left.splice(0, left.length, ...replies)
      otherwise = null
    },
    open: () => sockets.size,
    close: async () => {
      server.closeAllConnections()
      await new Promise<void>((resolve) => server.close(() => resolve()))
    },
  }
}
