import type { Deps } from '../deps.ts'
import { noteProbe } from '../fleet/gatewayHealth.ts'
import { callGateway } from './gatewayClient.ts'

/** A gateway that answers is probed this often; one that does not, as its breaker says. */
const EVERY_S = 10
/** For the answer to a probe to be noted: meanwhile no other process asks. */
const PROBE_S = 6
/** Gateways that have not said anything for longer are left alone. */
const SILENT_S = 120

/**
 * Asks the gateways that are due for `GET /health`, each by one process at a time, and notes the answers: this is what
 * measures their latency and closes their breakers. Returns how many were asked.
 */
export async function probeGatewaysOnce(
  deps: Pick<Deps, 'db' | 'bus' | 'wake' | 'gatewayToken'>,
): Promise<number> {
  const due = await deps.db.query<{ id: string; url: string }>(
    `UPDATE gateway SET probed_at = clock_timestamp(),
       open_until = CASE WHEN open_until IS NULL THEN NULL ELSE clock_timestamp() + interval '${PROBE_S} s' END
     WHERE last_seen_at > clock_timestamp() - interval '${SILENT_S} s' AND CASE WHEN open_until IS NULL
       THEN coalesce(probed_at < clock_timestamp() - interval '${EVERY_S} s', true) ELSE open_until <= clock_timestamp() END
     RETURNING id, url`,
  )
  await Promise.all(due.map((gateway) => probe(deps, gateway)))
  return due.length
}

async function probe(
  deps: Parameters<typeof probeGatewaysOnce>[0],
  { id, url }: { id: string; url: string },
): Promise<void> {
  const began = performance.now()
  const outcome = await callGateway(deps.gatewayToken, 'GET', `${url.replace(/\/+$/, '')}/health`)
  await noteProbe(deps, id, outcome.kind === 'ok' ? performance.now() - began : null)
}
