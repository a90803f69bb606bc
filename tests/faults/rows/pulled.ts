import { randomUUID } from 'node:crypto'
import { setTimeout as delay } from 'node:timers/promises'
import { newApiToken } from '../../../core/people/apiTokens.ts'
import { randomFrom } from '../random.ts'
import { Stand } from '../stand.ts'
import type { Title } from './holder.ts'
import { Holders } from './holders.ts'

/** A control plane without machines of its own, and outside agents that fetch its work. */
export type PulledStand = {
  stand: Stand
  holders: Holders
  /** Puts tasks into the ledger, by REST: with these ids, however often that has to be asked for. Returns the ids. */
  enqueue(titles: readonly Title[], ids?: readonly string[]): Promise<string[]>
  close(): Promise<void>
}

export async function openPulled(holderCount: number, seed: number): Promise<PulledStand> {
  const stand = new Stand('postgres', randomFrom(seed), () => {})
  await stand.start({ machines: false })
  const token = await newApiToken(stand.db, 'holders', ['read', 'operate', 'agent'])
  const holders = new Holders(stand.dir, stand.apiUrls, token)
  await stand.answering(token)
  holders.start(holderCount)
  const enqueue: PulledStand['enqueue'] = async (titles, ids = titles.map(() => randomUUID())) => {
    const tasks = titles.map((title, i) => ({ task_id: ids[i], title, action: 'noop', dispatch: 'pull' }))
    for (
      let turn = 0;
      !(await isTaken(stand.apiUrls[turn % stand.apiUrls.length] ?? '', token, tasks));
      turn++
    )
      await delay(100)
    return [...ids]
  }
  return {
    stand,
    holders,
    enqueue,
    close: async () => {
      await holders.stop()
      await stand.stop(false)
    },
  }
}

/** False when it may have been taken or not: the same tasks again make no others. */
async function isTaken(url: string, token: string, tasks: readonly object[]): Promise<boolean> {
  const response = await fetch(`${url}/v1/tasks/enqueue`, {
    method: 'POST',
    headers: { authorization: `Bearer ${token}`, 'content-type': 'application/json' },
    body: JSON.stringify({ tasks }),
    signal: AbortSignal.timeout(5000),
  }).catch(() => null)
  if (response === null || response.status >= 500) return false
  if (!response.ok) throw new Error(`not enqueued: ${response.status} ${await response.text()}`)
  await response.arrayBuffer()
  return true
}

/** Waits until none of the tasks is under way any more; returns those that are after all, as lines. */
export async function ended({ db }: Stand, ids: readonly string[], ms: number): Promise<string[]> {
  for (const deadline = performance.now() + ms; ; await delay(200)) {
    const open = await db.query<{ line: string }>(
      "SELECT 'task ' || id || ' ' || status AS line FROM task WHERE id = ANY($1::uuid[]) AND status IN ('held', 'blocked', 'queued', 'claimed', 'running') LIMIT 20",
      [ids],
    )
    if (open.length === 0 || performance.now() > deadline) return open.map(({ line }) => line)
  }
}
