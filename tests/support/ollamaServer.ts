import { createServer, type IncomingMessage } from 'node:http'
import type { AddressInfo } from 'node:net'
import { sendAnswer } from './modelAnswers.ts'

/*
 * Ollama on loopback: models with their sizes, what is in memory and until when, and answers. As Ollama does, a
 * question to a model that is not in memory loads it, and memory is not limited by itself: the test looks whether the
 * most that was ever loaded at once kept within what it allows.
 */

type Model = { name: string; disk: number; memory: number; context?: number }
type Loaded = Model & { keep: number }
export type OllamaServer = {
  url: string
  /** Names in memory, with the seconds they are kept: -1 for ever. */
  loaded(): Record<string, number>
  /** The most bytes that were in memory at once. */
  peak(): number
  /** What was done, in order: `load a`, `unload b`, `ask a`. */
  did: string[]
  /** Answers take until then. */
  hold(until: Promise<unknown> | null): void
  /** Its own API stops answering. */
  break(broken: boolean): void
  close(): Promise<void>
}

const MB = 1024 * 1024

async function readJson(
  req: IncomingMessage,
): Promise<{ model?: string; keep_alive?: number; stream?: boolean }> {
  const chunks: Buffer[] = []
  for await (const chunk of req) chunks.push(chunk as Buffer)
  return JSON.parse(Buffer.concat(chunks).toString('utf8') || '{}')
}

export async function startOllamaServer(models: readonly Model[]): Promise<OllamaServer> {
  const memory = new Map<string, Loaded>()
  const did: string[] = []
  let peak = 0
  let broken = false
  let until: Promise<unknown> | null = null
  const load = (model: Model, keep: number): void => {
    if (!memory.has(model.name)) did.push(`load ${model.name}`)
    memory.set(model.name, { ...model, keep })
    peak = Math.max(
      peak,
      [...memory.values()].reduce((sum, one) => sum + one.memory, 0),
    )
  }
  const server = createServer(async (req, res) => {
    const body = await readJson(req)
    const send = (value: object, status = 200) =>
      res.writeHead(status, { 'content-type': 'application/json' }).end(JSON.stringify(value))
    const model = models.find(({ name }) => name === body.model || name === `${body.model}:latest`)
    if (broken && req.url?.startsWith('/api/')) return send({ error: 'broken' }, 500)
    switch (req.url) {
      case '/api/tags':
        return send({ models: models.map(({ name, disk }) => ({ name, model: name, size: disk * MB })) })
      case '/api/ps':
        return send({
          models: [...memory.values()].map(({ name, memory: size, context = 4096 }) => ({
            ...{ name, model: name, size: size * MB, size_vram: 0, context_length: context },
            expires_at: '2318-11-21T00:00:00Z',
          })),
        })
      case '/api/show':
        return send({
          model_info: {
            'llama.block_count': 4,
            'llama.attention.head_count_kv': 2,
            'llama.attention.key_length': 64,
          },
        })
      case '/api/generate': {
        if (!model) return send({ error: `model '${body.model}' not found` }, 404)
        if (body.keep_alive === 0) {
          if (memory.delete(model.name)) did.push(`unload ${model.name}`)
        } else load(model, body.keep_alive ?? 300)
        return send({ model: model.name, response: '', done: true })
      }
      default: {
        if (!model) return send({ error: { message: 'not found', type: 'not_found_error' } }, 404)
        if (!memory.has(model.name)) load(model, 300)
        did.push(`ask ${model.name}`)
        await until
        return sendAnswer(
          res,
          'ollama',
          { model: model.name, stream: body.stream === true },
          { content: { ok: true } },
        )
      }
    }
  })
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve))
  const { port } = server.address() as AddressInfo
  return {
    url: `http://127.0.0.1:${port}`,
    loaded: () => Object.fromEntries([...memory.values()].map(({ name, keep }) => [name, keep])),
    peak: () => peak * MB,
    did,
    hold: (promise) => {
      until = promise
    },
    break: (now) => {
      broken = now
    },
    close: async () => {
      server.closeAllConnections()
      await new Promise<void>((resolve) => server.close(() => resolve()))
    },
  }
}
