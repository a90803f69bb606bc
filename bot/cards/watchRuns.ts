import { coalesce } from '../../core/queue/coalesce.ts'
import { tellFault } from '../../core/storage/tellFault.ts'
import type { DeliveryLoop } from '../delivery/runDelivery.ts'
import type { BotDeps } from '../turn.ts'
import { lowerCardsOnce } from './lowerCards.ts'

/** A card of work under way is brought up to date this often even when nothing changed. */
const HEARTBEAT_MS = 30_000
/** Cards let the work itself go first: nobody sees 25 ms, but a start can be that much later. */
const YIELD_MS = 25
/** A run's cards are looked up again no sooner than this: they are edited once a second at most. */
const CHANGE_GAP_MS = 100
const LOG_GAP_MS = 20

/**
 * Marks the cards of a run whenever it changes or logs, all cards that are not settled at the start (so a restart
 * goes on with the same cards) and whenever changes may have been missed, and those of running work every 30 s. Returns
 * what stops it.
 */
export function watchRuns(deps: BotDeps, delivery: Pick<DeliveryLoop, 'markCard'>): () => void {
  let stopped = false
  /** Questions first, since their buttons are dead once answered; then the newest cards. */
  const mark = async (where: string, values: unknown[] = [], force = false): Promise<void> => {
    if (stopped) return
    const rows = await deps.db.query<{ id: string; chat_id: number; last: boolean }>(
      `SELECT c.id, c.chat_id, coalesce(r.ended_at IS NOT NULL OR c.armed_at IS NOT NULL, false) AS last FROM card c LEFT JOIN run r ON r.id = c.run_id WHERE c.state <> 'settled' AND c.message_id IS NOT NULL AND ${where}
       ORDER BY c.kind = 'approval' DESC, c.created_at DESC`,
      values,
    )
    for (const { id, chat_id, last } of rows) delivery.markCard(chat_id, id, { force, last })
  }
  /** A change was told and could not be looked up, or may not have been told at all. */
  let missed = false
  const quietly = (work: Promise<void>): void =>
    void work.catch((error) => {
      missed = true
      tellFault(deps.log, 'cards', error)
    })
  const markRun = (runId: string): void => quietly(mark('c.run_id = $1', [runId]))
  const changed = coalesce(CHANGE_GAP_MS, (runId: string) => setTimeout(() => markRun(runId), YIELD_MS))
  const logged = coalesce(LOG_GAP_MS, markRun)
  const ends = [
    deps.bus.subscribe('run.changed', ({ runId }) => changed(runId, runId)),
    deps.bus.subscribe('log', ({ runId }) => logged(runId, runId)),
    deps.bus.subscribe('lost', () => {
      missed = true
    }),
    deps.bus.subscribe('agents', () =>
      quietly(mark("r.status IN ('running', 'paused', 'cancelling', 'force_cancelled')")),
    ),
  ]
  const tick = async (): Promise<void> => {
    await lowerCardsOnce(deps)
    if (!missed) return
    missed = false
    await mark('true')
  }
  const below = setInterval(() => quietly(tick()), 1000)
  const all = setInterval(() => {
    quietly(mark('true'))
    quietly(mark("c.kind = 'run' AND r.status IN ('running', 'paused', 'cancelling')", [], true))
  }, HEARTBEAT_MS)
  quietly(mark('true'))
  return () => {
    stopped = true
    clearInterval(below)
    clearInterval(all)
    for (const end of ends) end()
  }
}
