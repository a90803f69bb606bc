import { listMachines } from '../../core/fleet/machineFacts.ts'
import type { Sql } from '../../core/storage/sql.ts'
import { type Finding, note, ok, wrong } from './finding.ts'

const TIMEOUT_MS = 3000

type GatewayRow = { name: string; url: string; seen: boolean }

/** A gateway has told of itself lately, and each such one answers. */
export async function checkGateways(db: Sql): Promise<Finding[]> {
  const rows = await db.query<GatewayRow>(
    "SELECT name, url, last_seen_at > clock_timestamp() - interval '20 s' AS seen FROM gateway ORDER BY last_seen_at DESC",
  )
  const alive = rows.filter((row) => row.seen)
  if (alive.length === 0)
    return [
      wrong(
        'gateway',
        'none is connected',
        'Start SKYNET (`npm start`), or `skynet gateway` where it belongs.',
      ),
    ]
  return Promise.all(alive.map(checkGateway))
}

async function checkGateway({ name, url }: GatewayRow): Promise<Finding> {
  const answer = await fetch(`${url}/health`, { signal: AbortSignal.timeout(TIMEOUT_MS) }).catch(() => null)
  if (answer?.ok) return ok('gateway', `${name} answers at ${url}`)
  return wrong(
    'gateway',
    `${name} does not answer at ${url}`,
    'Set its SKYNET_GATEWAY_URL to an address that reaches it from here.',
  )
}

/** At least one machine is there; each is named with what confines its work. */
export async function checkAgents(db: Sql): Promise<Finding[]> {
  const machines = await listMachines(db)
  const there = machines.filter((m) => m.connected)
  const away = machines.filter((m) => !m.connected)
  const notes = away.map((m) =>
    note(
      'agent',
      `${m.name} is offline${m.disconnectedAt ? ` since ${m.disconnectedAt.toISOString()}` : ''}`,
    ),
  )
  if (there.length === 0)
    return [
      wrong(
        'agent',
        'no machine is connected',
        'Start SKYNET (`npm start`), or `skynet agent` on the machine.',
      ),
      ...notes,
    ]
  return [
    ...there.map((m) =>
      ok('agent', `${m.name} is connected, works in ${m.facts.roots.join(', ')}, ${m.facts.containment}`),
    ),
    ...notes,
  ]
}
