import type { z } from 'zod'

/** One question to a language model whose answer is JSON. */
export type Completion<T> = {
  /** What it is for, as usage statistics name it: `plan`, `repair`. */
  purpose: string
  system: string
  user: string
  /** What the answer should look like. It is told to the provider and not checked here. */
  schema: z.ZodType<T>
  schemaName: string
  /** Aborting it ends the request at once. */
  signal?: AbortSignal
}

export type Answer = {
  /** The answer as JSON, unchecked; undefined when it was no JSON. */
  value: unknown
  text: string
  tokens_in: number
  tokens_out: number
  ms: number
}

/** A language model. `complete` throws ModelError and nothing else, but for the caller's own abort reason. */
export type Model = {
  provider: string
  model: string
  complete<T>(req: Completion<T>): Promise<Answer>
}

const modelFaults = [
  'key',
  'quota',
  'rate',
  'unknown_model',
  'request',
  'refused',
  'cut',
  'server',
  'unreachable',
  'timeout',
  'answer',
] as const
export type ModelFault = (typeof modelFaults)[number]

/** A model that gave no answer: what happened, and what to do next. One line each, free of secrets. */
export class ModelError extends Error {
  override name = 'ModelError'
  readonly fault: ModelFault
  readonly hint: string
  constructor(fault: ModelFault, message: string, hint: string) {
    super(message)
    this.fault = fault
    this.hint = hint
  }
}
