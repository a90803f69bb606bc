import { readFile, realpath } from 'node:fs/promises'
import { join } from 'node:path'
import { setTimeout as delay } from 'node:timers/promises'
import { z } from 'zod'
import type { AgentConfig } from '../core/config/agent.ts'
import { messageOf } from '../core/config/logger.ts'
import { setPlace } from '../core/fleet/choosePlace.ts'
import { newCode } from '../core/fleet/oneTimeCodes.ts'
import { meetPerson } from '../core/people/people.ts'
import type { Control } from './openControl.ts'

const JOIN_TTL_MS = 10 * 60_000
const TRY_EVERY_MS = 50
const TRIES = 400

const Enrolment = z.object({ agent_id: z.uuid(), control_key: z.string() })

/**
 * Whether this machine's agent has joined this installation: it is in the ledger, and the key it pins is ours. It
 * joins again when the database or the secrets are others than those it knew.
 */
async function hasJoined(control: Control, agent: AgentConfig): Promise<boolean> {
  if (agent.agentId !== null) return true
  const text = await readFile(join(agent.agentDir, 'enrolment.json'), 'utf8').catch(() => '{}')
  const kept = Enrolment.safeParse(JSON.parse(text))
  if (!kept.success || kept.data.control_key !== control.controlKey) return false
  const known = await control.deps.db.query('SELECT 1 FROM agent WHERE id = $1', [kept.data.agent_id])
  return known.length > 0
}

/** Enrols this machine's own agent, the first time, as soon as the gateway answers. Gives up when `stopping`. */
export async function enrolOwnAgent(
  control: Control,
  agent: AgentConfig,
  gatewayUrl: string,
  stopping: () => boolean,
): Promise<void> {
  if (await hasJoined(control, agent)) return
  const { joinAgent } = await import('../agent/main.ts')
  const code = await newCode(control.deps.db, 'join', JOIN_TTL_MS, null)
  for (let tries = 1; !stopping(); tries++) {
    try {
      return void (await joinAgent(agent, gatewayUrl, code))
    } catch (error) {
      if (tries >= TRIES) throw error
      await delay(TRY_EVERY_MS)
    }
  }
}

/** The demo in this machine's workspace, when the playground is on; null when there is nothing new. */
export async function prepareDemo(control: Control, agent: AgentConfig): Promise<string | null> {
  const root = agent.roots[0]
  if (!root || control.config.telegram.kind !== 'playground') return null
  const { makeDemo } = await import('./demo/makeDemo.ts')
  return makeDemo(root, control.config.dataDir).catch((error) => {
    control.deps.log.warn(`the demo was not made: ${messageOf(error)}`)
    return null
  })
}

/** The visitor of a fresh playground works in the demo until he says otherwise. */
export async function placeVisitor(control: Control, agent: AgentConfig, demo: string): Promise<void> {
  const { visitor } = await import('../playground/main.ts')
  const { db } = control.deps
  const person = await meetPerson(db, { id: visitor.id, name: visitor.first_name }, [visitor.id])
  const asker = { chatId: visitor.id, topicId: 0, personId: person.id }
  const [own] = await db.query<{ id: string }>(
    'SELECT id FROM agent WHERE revoked_at IS NULL AND name LIKE $1 ORDER BY created_at DESC LIMIT 1',
    [`${agent.name}%`],
  )
  const chosen = await db.query('SELECT 1 FROM place_choice WHERE chat_id = $1', [visitor.id])
  if (own && chosen.length === 0) await setPlace(db, asker, { agentId: own.id, cwd: await realpath(demo) })
}
