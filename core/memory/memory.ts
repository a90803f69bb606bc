/** What is remembered: outcomes, what fails, what mended it, what machines are, how people want it, and what they said. */
export const memoryKinds = ['task', 'failure', 'strategy', 'snapshot', 'preference', 'fact'] as const
export type MemoryKind = (typeof memoryKinds)[number]

/** One memory, as it is kept. People name it `M12` by its id. */
export type Memory = {
  id: number
  kind: MemoryKind
  text: string
  /** Text from elsewhere that belongs to it: the end of an output. */
  seen: string | null
  /** `text` itself has words that nobody entitled to act here wrote. */
  outside: boolean
  /** Null: neither. */
  succeeded: boolean | null
  /** How many sources it has. */
  times: number
  personId: string | null
  chatId: number | null
  agentId: string | null
  cwd: string | null
  runId: string | null
  lastAt: Date
  createdAt: Date
  correctedAt: Date | null
}

/** The columns of a `Memory`, of the table or alias `m`. */
export const memoryColumns = `m.id, m.kind, m.text, m.seen, m.outside, m.succeeded, m.times, m.person_id AS "personId",
  m.chat_id AS "chatId", m.agent_id AS "agentId", m.cwd, m.run_id AS "runId", m.last_at AS "lastAt",
  m.created_at AS "createdAt", m.corrected_at AS "correctedAt"`

/** How people name it. */
export const memoryName = (id: number): string => `M${id}`
