import { readGateways } from '../../core/dispatch/reachAgent.ts'
import { listMachines, type Machine } from '../../core/fleet/machineFacts.ts'
import { shownIn } from '../../core/runs/shownIn.ts'
import { rankForNeed } from '../../core/scheduling/chooseAgent.ts'
import type { Ranked } from '../../core/scheduling/rankAgents.ts'
import type { RankedGateway } from '../../core/scheduling/rankGateways.ts'
import type { Sql } from '../../core/storage/sql.ts'

export type MachineLine = Machine & {
  /** Numbers of the runs it works on that may be shown there, and how many more it has. */
  running: number[]
  others: number
  /** Those it is connected to, the best one first. */
  gateways: RankedGateway[]
}
/** `order`: every machine as SKYNET would choose for work that names none. */
export type Fleet = { machines: MachineLine[]; order: Ranked[] }

/** Everything that /agent_status shows in a chat. */
export async function readFleet(sql: Sql, chatId: number): Promise<Fleet> {
  const machines = await listMachines(sql)
  const busy = await sql.query<{ agent_id: string; number: number; shown: boolean }>(
    `SELECT DISTINCT a.agent_id, r.number, ${shownIn('r', '$1')} AS shown FROM attempt a JOIN task t ON t.id = a.task_id JOIN run r ON r.id = t.run_id WHERE r.number > 0 AND a.status IN ('claimed', 'accepted', 'started') ORDER BY r.number`,
    [chatId],
  )
  const gateways = await readGateways(
    sql,
    machines.map((m) => m.agentId),
    'all',
  )
  const lines = machines.map((m) => ({
    ...m,
    running: busy.filter((b) => b.agent_id === m.agentId && b.shown).map((b) => b.number),
    others: busy.filter((b) => b.agent_id === m.agentId && !b.shown).length,
    gateways: gateways.get(m.agentId) ?? [],
  }))
  return { machines: lines, order: await rankForNeed(sql, {}) }
}
