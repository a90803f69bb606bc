import { createHash, randomBytes, randomUUID } from 'node:crypto'
import type { Deps } from '../deps.ts'
import { tellEvent } from '../events/tellEvent.ts'
import { useCode } from './oneTimeCodes.ts'

export const credentialHash = (credential: string): string =>
  createHash('sha256').update(credential).digest('hex')

export type Enrolled =
  | { kind: 'enrolled'; agentId: string; credential: string; name: string }
  | { kind: 'bad_code' }

/**
 * Enrols an agent with a one-time code. A name that another machine has gets a number; the same machine enrolled
 * again under its name keeps its id and gets a new credential (the old one stops working).
 */
export async function enrolAgent(
  deps: Pick<Deps, 'db' | 'bus'>,
  request: { code: string; name: string; machineId: string },
): Promise<Enrolled> {
  const done = await deps.db.tx(async (tx): Promise<Enrolled> => {
    if (!(await useCode(tx, 'join', request.code))) return { kind: 'bad_code' }
    await tx.query("SELECT pg_advisory_xact_lock(hashtextextended('agents', 0))")
    const credential = randomBytes(32).toString('base64url')
    const agents = await tx.query<{ id: string; name: string; machine_id: string }>(
      'SELECT id, name, machine_id FROM agent',
    )
    const same = agents.find((a) => a.name === request.name && a.machine_id === request.machineId)
    const id = same?.id ?? randomUUID()
    const name = same?.name ?? freeName(request.name, new Set(agents.map((a) => a.name)))
    await tx.query(
      `INSERT INTO agent (id, name, machine_id, credential_hash) VALUES ($1, $2, $3, $4)
       ON CONFLICT (id) DO UPDATE SET credential_hash = $4, revoked_at = NULL`,
      [id, name, request.machineId, credentialHash(credential)],
    )
    await tellEvent(tx, 'agent.enrolled', { agentId: id }, { name, machine_id: request.machineId })
    return { kind: 'enrolled', agentId: id, credential, name }
  })
  deps.bus.publish('agents', {})
  return done
}

function freeName(wanted: string, taken: Set<string>): string {
  for (let n = 1; ; n++) {
    const name = n === 1 ? wanted : `${wanted}-${n}`
    if (!taken.has(name)) return name
  }
}
