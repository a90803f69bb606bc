import type { Machine } from '../fleet/machineFacts.ts'
import { chooseAgent } from '../scheduling/chooseAgent.ts'
import type { Sql } from '../storage/sql.ts'

/**
 * The machine of a run for which nobody named one: the best by what it can do, health, load, history and the chat's
 * last work; any at all when none can, so that planning says what is wrong. Undefined when there is none.
 */
export async function bestMachine(
  sql: Sql,
  run: { kind: string; cwd: string | null; chat_id: number | null },
  machines: readonly Machine[],
): Promise<Machine | undefined> {
  const chosen = await chooseAgent(sql, {
    ...(run.kind === 'command' ? { action: 'shell' } : {}),
    ...(run.cwd === null ? {} : { cwd: run.cwd }),
    chatId: run.chat_id,
  })
  return machines.find((m) => m.agentId === chosen?.agentId) ?? machines[0]
}
