import type { z } from 'zod'

/**
 * What a question needs of a model: `conversation` soon and in good words, `quick` soon and cheap, `balanced` by
 * default, `heavy` the best thinking there is, `code` one that writes programs well.
 */
export type Need = 'conversation' | 'quick' | 'balanced' | 'heavy' | 'code'

/** One question to a language model whose answer is JSON. */
export type Completion<T> = {
  /** What it is for, as usage statistics name it: `plan`, `repair`. */
  purpose: string
  /** `balanced` when left out. */
  need?: Need
  system: string
  user: string
  /** What the answer should look like. It is told to the provider and not checked here. */
  schema: z.ZodType<T>
  schemaName: string
  /** Aborting it ends the request at once. */
  signal?: AbortSignal
  /** The run it serves: its budget counts, and the record names it. */
  runId?: string
  /** The person who is waiting for it, for the record. */
  personId?: string
  /** The most tokens the answer may have. */
  maxTokens?: number
  /** Told all of the answer's text so far, each time there is more. Starts anew when another model takes over. */
  onText?: (soFar: string) => void
}

export type Answer = {
  /** The answer as JSON, unchecked; undefined when it was no JSON. */
  value: unknown
  text: string
  tokens_in: number
  tokens_out: number
  ms: number
  /** Who answered; the first of the settings when left out. */
  provider?: string
  model?: string
  /** Of `tokens_in`, those that the provider had kept from before. */
  tokens_cached?: number
  /** In US dollars; null where the price is not known. */
  cost_usd?: number | null
}

/** What may be used; null: no limit. Models on one's own machine are not counted. */
export type Budgets = {
  dailyTokens: number | null
  dailyUsd: number | null
  runTokens: number | null
  runUsd: number | null
}

/** A language model. `complete` throws ModelError and nothing else, but for the caller's own abort reason. */
export type Model = {
  /** The first that is asked. */
  provider: string
  model: string
  /** What may be used; left out, there is no limit. */
  budgets?: Budgets
  complete<T>(req: Completion<T>): Promise<Answer>
  /** Resolves once all that is known of past calls is in the ledger. Never rejects. */
  settled?: () => Promise<void>
  /** Makes ready what takes long to begin: a model on one's own machine. Never rejects. */
  warm?: () => Promise<void>
}

/** What may go wrong with a question, as the record of calls names it too. */
export const modelFaults = [
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
  'slow',
  'answer',
  'schema',
  'busy',
  'budget',
] as const
export type ModelFault = (typeof modelFaults)[number]

/** A model that gave no answer: what happened, and what to do next. One line each, free of secrets. */
export class ModelError extends Error {
  override name = 'ModelError'
  readonly fault: ModelFault
  readonly hint: string
  /** Milliseconds for which the provider asked not to be asked again; null when it said nothing. */
  readonly retryAfterMs: number | null
  /** Whom it concerns besides this model: all of the provider's, or its free ones. */
  readonly reach: Reach
  /** Who and what in a few words, for where several are told beside each other: `Groq answered 500`. */
  readonly brief: string
  /** Whose fault it is, by the provider's name for people; null when it is nobody's. */
  readonly by: string | null
  /** All that went wrong, for records and logs, where the message tells only a part. */
  readonly details: string | null
  constructor(
    fault: ModelFault,
    message: string,
    hint: string,
    { retryAfterMs = null, reach = 'model', brief, by = null, details = null }: ModelErrorFacts = {},
  ) {
    super(message)
    this.fault = fault
    this.hint = hint
    this.retryAfterMs = retryAfterMs
    this.reach = reach
    this.brief = brief ?? message.replace(/\.$/, '')
    this.by = by
    this.details = details
  }
}

type ModelErrorFacts = {
  retryAfterMs?: number | null
  reach?: Reach
  brief?: string
  by?: string | null
  details?: string | null
}

export type Reach = 'model' | 'free models' | 'provider'
