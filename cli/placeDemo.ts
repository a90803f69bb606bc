import { realpath } from 'node:fs/promises'
import type { AgentConfig } from '../core/config/agent.ts'
import { messageOf } from '../core/config/logger.ts'
import { setPlace } from '../core/fleet/choosePlace.ts'
import { meetPerson } from '../core/people/people.ts'
import type { Control } from './openControl.ts'
import { ownAgentId } from './ownAgent.ts'

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
  const agentId = await ownAgentId(agent)
  const chosen = await db.query('SELECT 1 FROM place_choice WHERE chat_id = $1', [visitor.id])
  if (agentId && chosen.length === 0) await setPlace(db, asker, { agentId, cwd: await realpath(demo) })
}
