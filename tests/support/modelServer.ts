import { createServer, type IncomingMessage, type ServerResponse } from 'node:http'
import type { AddressInfo } from 'node:net'

/** What the server does with one request. */
export type ModelReply =
  /** Answers with this text, or this value as JSON. */
  | {
      kind: 'answer'
      content: string | object
      tokens_in?: number
      tokens_out?: number
      finish_reason?: 'stop' | 'length' | 'content_filter'
    }
  /** Declines, as OpenAI's models do under structured output. */
  | { kind: 'refusal'; text: string }
  /** A provider's error in the shape they share. */
  | { kind: 'error'; status: number; message?: string; code?: string; retry_after?: number }
  /** A body that is not JSON, with status 200. */
  | { kind: 'invalid' }
  /** Answers nothing for so long, then as `then` says. */
  | { kind: 'slow'; ms: number; then?: ModelReply }
  /** Begins the answer and cuts the connection. */
  | { kind: 'cut' }

type ModelRequest = {
  path: string
  headers: Record<string, string | string[] | undefined>
  /** The request's JSON. */
  body: {
    model: string
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
  close(): Promise<void>
}

const completion = (
  model: string,
  message: object,
  reply: Extract<ModelReply, { kind: 'answer' }> | undefined,
) => ({
  id: 'chatcmpl-test0000000000000000000000',
  object: 'chat.completion',
  created: 1_790_000_000,
  model,
  choices: [
    {
      index: 0,
      message: { role: 'assistant', content: null, refusal: null, annotations: [], ...message },
      logprobs: null,
      finish_reason: reply?.finish_reason ?? 'stop',
    },
  ],
  usage: {
    prompt_tokens: reply?.tokens_in ?? 100,
    completion_tokens: reply?.tokens_out ?? 20,
    total_tokens: (reply?.tokens_in ?? 100) + (reply?.tokens_out ?? 20),
    prompt_tokens_details: { cached_tokens: 0, audio_tokens: 0 },
    completion_tokens_details: {
      reasoning_tokens: 0,
      audio_tokens: 0,
      accepted_prediction_tokens: 0,
      rejected_prediction_tokens: 0,
    },
  },
  service_tier: 'default',
  system_fingerprint: null,
})

function send(res: ServerResponse, status: number, body: object, headers: Record<string, string> = {}): void {
  res
    .writeHead(status, { 'content-type': 'application/json', 'x-request-id': 'req_test', ...headers })
    .end(JSON.stringify(body))
}

function sendError(res: ServerResponse, reply: Extract<ModelReply, { kind: 'error' }>): void {
  const headers: Record<string, string> =
    reply.retry_after === undefined ? {} : { 'retry-after': String(reply.retry_after) }
  const error = {
    message: reply.message ?? `error ${reply.status}`,
    type: 'test_error',
    param: null,
    code: reply.code ?? null,
  }
  send(res, reply.status, { error }, headers)
}

function cutShort(res: ServerResponse): void {
  res.writeHead(200, { 'content-type': 'application/json', 'content-length': '5000' })
  res.write('{"id":"chatcmpl-test","choices":[{"index":0,"mess', () => res.destroy())
}

function reply(res: ServerResponse, model: string, what: ModelReply): void {
  if (res.destroyed) return
  switch (what.kind) {
    case 'answer': {
      const content = typeof what.content === 'string' ? what.content : JSON.stringify(what.content)
      send(res, 200, completion(model, { content }, what))
      break
    }
    case 'refusal':
      send(res, 200, completion(model, { refusal: what.text }, undefined))
      break
    case 'error':
      sendError(res, what)
      break
    case 'invalid':
      res.writeHead(200, { 'content-type': 'application/json' }).end('{"choices": [')
      break
    case 'cut':
      cutShort(res)
      break
    case 'slow':
      setTimeout(() => reply(res, model, what.then ?? { kind: 'answer', content: '{}' }), what.ms).unref()
  }
}

async function readBody(req: IncomingMessage): Promise<string> {
  const chunks: Buffer[] = []
  for await (const chunk of req) chunks.push(chunk as Buffer)
  return Buffer.concat(chunks).toString('utf8')
}

/**
 * An OpenAI-compatible server on loopback that answers with `script`, one reply a request, in order. A request
 * beyond the script gets status 500. Knows `POST .../chat/completions` only.
 */
export async function startModelServer(script: ModelReply[] = []): Promise<ModelServer> {
  const left = [...script]
  const requests: ModelRequest[] = []
  const server = createServer(async (req, res) => {
    const body = JSON.parse((await readBody(req)) || '{}') as ModelRequest['body']
    const seen: ModelRequest = { path: req.url ?? '', headers: req.headers, body, aborted: false }
    requests.push(seen)
    res.on('close', () => {
      seen.aborted = !res.writableEnded
    })
    if (!seen.path.endsWith('/chat/completions')) return send(res, 404, { error: { message: 'not found' } })
    reply(
      res,
      String(body.model),
      left.shift() ?? { kind: 'error', status: 500, message: 'the script is over' },
    )
  })
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve))
  const { port } = server.address() as AddressInfo
  return {
    url: `http://127.0.0.1:${port}/v1`,
    requests,
    push: (...replies) => void left.push(...replies),
    close: async () => {
      server.closeAllConnections()
      await new Promise<void>((resolve) => server.close(() => resolve()))
    },
  }
}
