import type { OpenAI } from 'openai'
import type { ModelSettings, OutputMode, ProviderSettings } from '../config/model.ts'
import type { EndedCall, NewCall } from './callLedger.ts'
import type { HealthBook } from './health.ts'
import type { ModelError, Need } from './model.ts'

/** A question, redacted and with all that was left out filled in. */
export type Asked = {
  id: string
  purpose: string
  need: Need
  system: string
  user: string
  schemaName: string
  schema: Record<string, unknown>
  maxTokens: number
  runId: string | null
  personId: string | null
}

/** Where requests are written down. Neither of `begin` and `end` rejects. */
export type Records = {
  /** Resolves with why it must not be sent, where a budget is used up. */
  begin(call: NewCall): Promise<ModelError | null>
  /** Whether `begin` has to be waited for before anything is sent. */
  waits(call: NewCall): boolean
  end(call: NewCall, end: EndedCall): Promise<void>
  cached(call: NewCall): Promise<void>
}

/** Makes room for a model on one's own machine before it is asked; what it resolves with lets go of it. */
export type Pool = { prepare(model: string, tokens: number, signal: AbortSignal): Promise<() => void> }

/** What the router's parts share. */
export type RouterDeps = {
  settings: ModelSettings
  health: HealthBook
  records: Records
  pool: Pool | null
  /** Takes note of a record that is being written. */
  written(record: Promise<unknown>): void
  /** Opened once for each provider. */
  client(at: ProviderSettings): Promise<OpenAI>
  /** What a model turned out to be able to do, where that is less than its provider promises. */
  modes: Map<string, OutputMode>
  /** Milliseconds since the epoch. */
  now(): number
}
