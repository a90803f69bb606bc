import type { Answer, Completion, Model } from '../../core/llm/model.ts'

/** What a scripted model does with one question: a draft it answers with, or anything else. */
export type Scripted = object | ((asked: Completion<unknown>) => Promise<object> | object)

/** A model inside the process that answers by a script, one entry a question, and keeps what it was asked. */
export function scriptedModel(): Model & {
  asked: Completion<unknown>[]
  push(...next: Scripted[]): void
  left(): number
} {
  const script: Scripted[] = []
  const asked: Completion<unknown>[] = []
  return {
    provider: 'scripted',
    model: 'scripted-1',
    asked,
    push: (...next) => void script.push(...next),
    left: () => script.length,
    async complete(question): Promise<Answer> {
      asked.push(question as Completion<unknown>)
      const next = script.shift()
      if (!next) throw new Error('the script of the model is over')
      const value = typeof next === 'function' ? await next(question as Completion<unknown>) : next
      return { value, text: JSON.stringify(value), tokens_in: 900, tokens_out: 100, ms: 5, cost_usd: 0.001 }
    },
  }
}

/** One step of a draft. */
export const draftStep = (key: string, command: string, after: string[] = []) => ({
  key,
  title: `Do ${key}`,
  reason: 'needed',
  call: { action: 'shell', command },
  directory: null,
  depends_on: after,
  milestone: null,
  writes: [],
  network: false,
  timeout_s: 60,
})

export const draft = (summary: string, tasks: object[], cannot: string | null = null) => ({
  cannot,
  summary,
  milestones: [],
  tasks,
})
