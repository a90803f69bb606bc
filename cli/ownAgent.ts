import { readFile } from 'node:fs/promises'
import { join } from 'node:path'
import { setTimeout as delay } from 'node:timers/promises'
import { z } from 'zod'
import type { AgentConfig } from '../core/config/agent.ts'
import { messageOf } from '../core/config/logger.ts'
import { credentialHash } from '../core/fleet/enrolAgent.ts'
import { JOIN_MINUTES, newCode } from '../core/fleet/oneTimeCodes.ts'
import type { Sql } from '../core/storage/sql.ts'
import type { Control } from './openControl.ts'

const TRY_EVERY_MS = 50
const TRIES = 400
/** How often a running start looks whether its agent is still the one of the ledger. */
const LOOK_MS = 10_000

const Enrolment = z.object({
  agent_id: z.uuid(),
  credential: z.string(),
  control_key: z.string(),
  gateway_url: z.string(),
})
type Enrolment = z.infer<typeof Enrolment>

/** What this machine's agent got when it joined; null when it has not. */
export async function readEnrolment({ agentDir }: Pick<AgentConfig, 'agentDir'>): Promise<Enrolment | null> {
  const text = await readFile(join(agentDir, 'enrolment.json'), 'utf8').catch(() => '{}')
  return Enrolment.safeParse(parseJson(text)).data ?? null
}

/** Who this machine's agent is; null before it has joined. */
export const ownAgentId = async (agent: AgentConfig): Promise<string | null> =>
  agent.agentId ?? (await readEnrolment(agent))?.agent_id ?? null

function parseJson(text: string): unknown {
  try {
    return JSON.parse(text)
  } catch {
    return null
  }
}

/** How the ledger takes this credential. A person revokes; whatever else it does not know is to join again. */
export async function standing(
  sql: Sql,
  { agent_id, credential }: Pick<Enrolment, 'agent_id' | 'credential'>,
): Promise<'taken' | 'refused' | 'revoked'> {
  const [row] = await sql.query<{ credential_hash: string; revoked: boolean }>(
    'SELECT credential_hash, revoked_at IS NOT NULL AS revoked FROM agent WHERE id = $1',
    [agent_id],
  )
  if (row?.credential_hash !== credentialHash(credential)) return 'refused'
  return row.revoked ? 'revoked' : 'taken'
}

/**
 * Whether this machine's agent belongs to this installation: the key it pins is ours, and the ledger takes its
 * credential. It joins again when the database or the secrets are others than those it knew.
 */
async function hasJoined({ controlKey, deps }: Control, agent: AgentConfig): Promise<boolean> {
  if (agent.agentId !== null) return true
  const kept = await readEnrolment(agent)
  if (kept?.control_key !== controlKey) return false
  return (await standing(deps.db, kept)) !== 'refused'
}

/**
 * Enrols this machine's own agent when it has not joined, or is refused, as soon as the gateway answers. Gives up
 * when `stopping`.
 */
export async function enrolOwnAgent(
  control: Control,
  agent: AgentConfig,
  gatewayUrl: string,
  stopping: () => boolean,
): Promise<void> {
  if (await hasJoined(control, agent)) return
  const { joinAgent } = await import('../agent/main.ts')
  const code = await newCode(control.deps.db, 'join', JOIN_MINUTES * 60_000, null)
  for (let tries = 1; !stopping(); tries++) {
    try {
      const { name } = await joinAgent(agent, gatewayUrl, code)
      return tellName(control, agent.name, name)
    } catch (error) {
      if (tries >= TRIES) throw error
      await delay(TRY_EVERY_MS)
    }
  }
}

function tellName({ deps }: Control, wanted: string, name: string): void {
  if (name === wanted) return
  deps.log.warn(
    `this machine's agent joined as ${name}: ${wanted} is taken. SKYNET_AGENT_NAME chooses another.`,
  )
}

/** Lets this machine's agent join again whenever the ledger refuses it; the agent notices by itself. Returns what ends that. */
export function keepEnrolled(control: Control, agent: AgentConfig, gatewayUrl: string): () => void {
  let busy = false
  let ended = false
  const look = async (): Promise<void> => {
    if (busy) return
    busy = true
    await enrolOwnAgent(control, agent, gatewayUrl, () => ended)
      .catch((error) => void control.deps.log.debug(`this machine's agent cannot join: ${messageOf(error)}`))
      .finally(() => {
        busy = false
      })
  }
  const timer = setInterval(look, LOOK_MS).unref()
  return () => {
    ended = true
    clearInterval(timer)
  }
}
