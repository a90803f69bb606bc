import { z } from 'zod'

/* Ollama's own API, as far as the pool needs it: what there is, what is in memory, and putting it there. */

const Tags = z.object({ models: z.array(z.object({ name: z.string(), size: z.number() })) })
const Loaded = z.object({
  name: z.string(),
  /** Bytes it takes, in the memory of the machine and of its graphics card together. */
  size: z.number(),
  /** Tokens it reads at once as it was loaded: fewer than the model could. */
  context_length: z.number().optional(),
})
const Running = z.object({ models: z.array(Loaded) })
const Shown = z.object({ model_info: z.record(z.string(), z.unknown()).default({}) })

export type LoadedModel = z.infer<typeof Loaded>

export type OllamaApi = {
  /** Bytes on disk by name. */
  tags(): Promise<Map<string, number>>
  running(): Promise<LoadedModel[]>
  /** Facts of a model's file, such as `llama.block_count`. */
  show(model: string): Promise<Record<string, unknown>>
  /** Loads it and keeps it: seconds after its last use, -1 for ever, 0: takes it out of memory. */
  keep(model: string, seconds: number): Promise<void>
}

const QUICK_MS = 5000
/** Loading a large model from a slow disk. */
const LOAD_MS = 300_000

/** A name with its tag: `llama3.2` is `llama3.2:latest`. Pure. */
export const fullName = (model: string): string => (/:[^/]*$/.test(model) ? model : `${model}:latest`)

/** `base`: where its compatible endpoint is; its own is beside it. */
export function ollamaApi(base: string): OllamaApi {
  const root = base.replace(/\/v1\/?$/, '').replace(/\/+$/, '')
  const call = async (path: string, body: object | null, ms: number): Promise<unknown> => {
    const answer = await fetch(`${root}${path}`, {
      signal: AbortSignal.timeout(ms),
      ...(body
        ? { method: 'POST', headers: { 'content-type': 'application/json' }, body: JSON.stringify(body) }
        : {}),
    })
    if (!answer.ok)
      throw new Error(`${path} answered ${answer.status}: ${(await answer.text()).slice(0, 200)}`)
    return answer.json()
  }
  return {
    tags: async () => {
      const { models } = Tags.parse(await call('/api/tags', null, QUICK_MS))
      return new Map(models.map(({ name, size }) => [fullName(name), size]))
    },
    running: async () => {
      const { models } = Running.parse(await call('/api/ps', null, QUICK_MS))
      return models.map((model) => ({ ...model, name: fullName(model.name) }))
    },
    show: async (model) => Shown.parse(await call('/api/show', { model }, QUICK_MS)).model_info,
    keep: async (model, seconds) => {
      const body = { model, stream: false, keep_alive: seconds }
      await call('/api/generate', body, seconds === 0 ? QUICK_MS : LOAD_MS)
    },
  }
}
