import { setTimeout as delay } from 'node:timers/promises'
import { type Random, randomFrom } from '../random.ts'
import { percentile } from '../recovery.ts'
import type { Title } from './holder.ts'
import { ended, openPulled, type PulledStand } from './pulled.ts'
import type { Row } from './row.ts'

const HOLDERS = 8
/** Of a hundred tasks. */
const PERCENT = 1
const BATCH = 5
/** Well below what the holders can do, so that a task waits for others only when something is wrong. */
const BATCH_MS = 200
/** With poison and without, in turns; those without are as much shorter. */
const TURNS = 6
const CLEAN_SHARE = 3
/** Three attempts of a lease of 10 s each, and what they wait for in between. */
const SETTLE_MS = 90_000
const poisons: readonly Title[] = ['dies claimed', 'dies started', 'forgets']

type Half = { fine: string[]; poison: string[] }

/** Asks for tasks, steadily; `isPoisoned`: one in a hundred is poison. */
async function ask(
  { enqueue }: PulledStand,
  random: Random,
  count: number,
  isPoisoned: boolean,
): Promise<Half> {
  const half: Half = { fine: [], poison: [] }
  for (let asked = 0; asked < count; asked += BATCH) {
    const began = performance.now()
    const at = isPoisoned && asked % (100 / PERCENT) === 0 ? Math.floor(random.between(0, BATCH)) : -1
    const titles = Array.from({ length: BATCH }, (_, i): Title => (i === at ? random.pick(poisons) : 'fine'))
    const ids = await enqueue(titles)
    for (const [i, id] of ids.entries()) half[i === at ? 'poison' : 'fine'].push(id)
    await delay(Math.max(0, BATCH_MS - (performance.now() - began)))
  }
  return half
}

type Times = { p50: number; p99: number; failed: number }

async function timesOf({ stand }: PulledStand, ids: readonly string[]): Promise<Times> {
  const rows = await stand.db.query<{ ms: number; status: string }>(
    'SELECT extract(epoch FROM ended_at - created_at)::float8 * 1000 AS ms, status FROM task WHERE id = ANY($1::uuid[])',
    [ids],
  )
  const ms = rows.map((row) => row.ms)
  return {
    p50: percentile(ms, 50),
    p99: percentile(ms, 99),
    failed: rows.filter(({ status }) => status !== 'succeeded').length,
  }
}

/**
 * Tasks that their holders die of, or never come back from: each is set aside after as many attempts as it may have,
 * and the others take no longer for it than those that are asked for in turns without poison.
 */
export async function poisonRow({ count = 100, seed, tell }: Row): Promise<string[]> {
  const random = randomFrom(seed)
  const own = await openPulled(HOLDERS, seed)
  const perTurn = Math.ceil((count * (100 / PERCENT)) / (TURNS / 2) / BATCH) * BATCH
  const clean: string[] = []
  const beside: string[] = []
  const poison: string[] = []
  const open: string[] = []
  try {
    await ended(own.stand, await own.enqueue(Array.from({ length: 50 }, () => 'fine')), SETTLE_MS)
    for (let turn = 0; turn < TURNS; turn++) {
      const isPoisoned = turn % 2 === 1
      const half = await ask(own, random, isPoisoned ? perTurn : perTurn / CLEAN_SHARE, isPoisoned)
      open.push(...(await ended(own.stand, [...half.fine, ...half.poison], SETTLE_MS)))
      const times = await timesOf(own, half.fine)
      tell(
        `${isPoisoned ? 'with poison' : 'without'}: p50 ${times.p50.toFixed(1)} ms, p99 ${times.p99.toFixed(1)} ms`,
      )
      ;(isPoisoned ? beside : clean).push(...half.fine)
      poison.push(...half.poison)
    }
    const [without, among] = [await timesOf(own, clean), await timesOf(own, beside)]
    const wrong = await own.stand.db.query<{ line: string }>(
      `SELECT title || ' ' || status || ' after ' || attempts_made AS line FROM task
       WHERE id = ANY($1::uuid[]) AND NOT (status = 'failed_timeout' AND attempts_made = max_attempts)`,
      [poison],
    )
    const ratio = among.p99 / without.p99
    if (open.length + wrong.length + among.failed + without.failed > 0 || ratio > 1.5) process.exitCode = 1
    return [
      `tasks ${clean.length + beside.length + poison.length}, of them poison ${poison.length} among ${beside.length + poison.length}, holders that died ${own.holders.deaths}`,
      `set aside at the limit ${poison.length - wrong.length}, otherwise ${wrong.length}, others that did not succeed ${among.failed + without.failed}, stuck ${open.length}`,
      `the others: p50 ${among.p50.toFixed(1)} ms, p99 ${among.p99.toFixed(1)} ms; without poison: p50 ${without.p50.toFixed(1)} ms, p99 ${without.p99.toFixed(1)} ms; p99 ${ratio.toFixed(2)} times`,
      ...wrong.map(({ line }) => line),
      ...open,
    ]
  } finally {
    await own.close()
  }
}
