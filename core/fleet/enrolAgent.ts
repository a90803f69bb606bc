import { createHash, randomBytes, randomUUID } from 'node:crypto'
import type { Deps } from '../deps.ts'
import { tellEvent } from '../events/tellEvent.ts'
import type { Tx } from '../storage/sql.ts'
import { useCode } from './oneTimeCodes.ts'

/** An agent heard of within this is in use: nobody else becomes it without its credential. */
const IN_USE_MS = 5 * 60_000

export const credentialHash = (credential: string): string =>
  createHash('sha256').update(credential).digest('hex')

export type Enrolment = {
  code: string
  name: string
  machineId: string
  /** Who the machine says it was so far, with the hash of the credential it had. */
  known?: { agentId: string; credentialHash: string }
}
export type Enrolled =
  | { kind: 'enrolled'; agentId: string; credential: string; name: string }
  | { kind: 'bad_code' }

/**
 * Enrols an agent with a one-time code. Who proves to be an agent of the ledger stays that agent, and so does who
 * comes from its machine under its name while it is not in use; each gets a new credential, and the old one stops
 * working. Anybody else becomes a new agent, with a number after a name that is taken: a second directory of one
 * machine, and a clone of it, never take the first one's place.
 */
export async function enrolAgent(deps: Pick<Deps, 'db' | 'bus'>, request: Enrolment): Promise<Enrolled> {
  const done = await deps.db.tx(async (tx): Promise<Enrolled> => {
    const invited = await useCode(tx, 'join', request.code)
    if (!invited) return { kind: 'bad_code' }
    await tx.query("SELECT pg_advisory_xact_lock(hashtextextended('agents', 0))")
    const credential = randomBytes(32).toString('base64url')
    const agents = await readAgents(tx)
    const same = agents.find((agent) => isProved(agent, request)) ?? agents.find((a) => isLeft(a, request))
    const id = same?.id ?? randomUUID()
    const name = same?.name ?? freeName(request.name, new Set(agents.map((a) => a.name)))
    await tx.query(
      `INSERT INTO agent (id, name, machine_id, credential_hash) VALUES ($1, $2, $3, $4)
       ON CONFLICT (id) DO UPDATE SET machine_id = $3, credential_hash = $4, revoked_at = NULL`,
      [id, name, request.machineId, credentialHash(credential)],
    )
    await tellEvent(
      tx,
      'agent.enrolled',
      { agentId: id },
      { name, machine_id: request.machineId, by: invited.createdBy },
    )
    return { kind: 'enrolled', agentId: id, credential, name }
  })
  deps.bus.publish('agents', {})
  return done
}

type AgentRow = { id: string; name: string; machine_id: string; credential_hash: string; in_use: boolean }

const readAgents = (tx: Tx): Promise<AgentRow[]> =>
  tx.query<AgentRow>(
    `SELECT id, name, machine_id, credential_hash,
     coalesce(last_seen_at > clock_timestamp() - $1 * interval '1 ms', false) AS in_use FROM agent`,
    [IN_USE_MS],
  )

/** A copy of an agent's directory on another machine proves nothing while the first one is in use. */
const isProved = (agent: AgentRow, { known, machineId }: Enrolment): boolean =>
  agent.id === known?.agentId &&
  agent.credential_hash === known.credentialHash &&
  (agent.machine_id === machineId || !agent.in_use)

const isLeft = (agent: AgentRow, { name, machineId }: Enrolment): boolean =>
  agent.name === name && agent.machine_id === machineId && !agent.in_use

function freeName(wanted: string, taken: Set<string>): string {
  for (let n = 1; ; n++) {
    const name = n === 1 ? wanted : `${wanted}-${n}`
    if (!taken.has(name)) return name
  }
}
