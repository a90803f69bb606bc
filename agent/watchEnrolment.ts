import { unwatchFile, watchFile } from 'node:fs'
import type { AgentConfig } from '../core/config/agent.ts'
import { enrolmentFile, type Identity, identityOf } from './enrol.ts'

const LOOK_MS = 1000

type Heard = {
  /** The same agent has a new credential; `identity` has it by now. */
  renewed(): void
  /** This directory belongs to another agent, or to another control plane. */
  replaced(): void
}

/**
 * Notices when this machine joins again while its agent runs, so that nobody has to start the agent anew. Returns
 * what ends it. Does nothing where settings say who the agent is.
 */
export function watchEnrolment(config: AgentConfig, identity: Identity, heard: Heard): () => void {
  if (config.agentId ?? config.credential ?? config.controlKey) return () => {}
  const look = () => {
    const now = readIdentity(config)
    if (!now || now.credential === identity.credential) return
    const { agentId, controlKey, gatewayUrls } = identity
    const isSame =
      now.agentId === agentId &&
      now.controlKey === controlKey &&
      now.gatewayUrls.join() === gatewayUrls.join()
    if (!isSame) return heard.replaced()
    identity.credential = now.credential
    heard.renewed()
  }
  const file = enrolmentFile(config)
  watchFile(file, { interval: LOOK_MS, persistent: false }, look)
  return () => unwatchFile(file, look)
}

function readIdentity(config: AgentConfig): Identity | null {
  try {
    return identityOf(config)
  } catch {
    return null
  }
}
