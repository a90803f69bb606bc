import type { AgentFacts } from '../protocol/frames.ts'
import type { Sql } from '../storage/sql.ts'
import { type Need, type Ranked, rankAgents } from './rankAgents.ts'
import { readCandidates } from './readCandidates.ts'

export type ChosenAgent = {
  agentId: string
  machineId: string
  facts: AgentFacts
  /** The directory asked for as an absolute one there, else the one that fits best. */
  cwd: string
  /** Why this one, in plain words. */
  reasons: string[]
}

/** Every enrolled agent in the order in which SKYNET would choose it for the need. */
export const rankForNeed = async (sql: Sql, need: Need): Promise<Ranked[]> =>
  rankAgents(need, await readCandidates(sql, need.chatId ?? null))

/** The agent for a task that names none; null when no enrolled agent can do it. It may be away for now. */
export async function chooseAgent(sql: Sql, need: Need): Promise<ChosenAgent | null> {
  const [best] = await rankForNeed(sql, need)
  if (!best?.eligible) return null
  return {
    agentId: best.agentId,
    machineId: best.facts.machine_id,
    facts: best.facts,
    cwd: best.cwd,
    reasons: Object.values(best.parts).map((part) => part.reason),
  }
}
