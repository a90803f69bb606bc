import { type LedgerEvent, newestCursor, OLDEST, readEvents } from '../../core/events/readEvents.ts'
import { coalesce } from '../../core/queue/coalesce.ts'
import { giveHome } from '../../core/runs/giveHome.ts'
import { type RunView, viewRun } from '../../core/runs/viewRun.ts'
import type { Tx } from '../../core/storage/sql.ts'
import { tellFault } from '../../core/storage/tellFault.ts'
import { say, sayCard, type Where } from '../delivery/say.ts'
import { escapeHtml } from '../render/html.ts'
import { hasOwnOutcome } from '../render/outcomeCard.ts'
import type { BotDeps } from '../turn.ts'
import { askPeople } from './askPeople.ts'
import { tellGuides } from './tellGuides.ts'
import { tellLockdown } from './tellLockdown.ts'
import { tellLaterOnce, tellProgress } from './tellProgress.ts'

const READER = 'bot'
/** Messages let the work itself go first. */
const YIELD_MS = 15
/** Under many changes the events are read no more often than this. */
const GAP_MS = 100
const BATCH = 200
/** How often it is looked for progress that nobody was told of, since there had just been something else. */
const LATER_MS = 5000
/** A success that took longer than this makes a sound. */
const LOUD_AFTER_MS = 60_000

/**
 * Turns events into messages: reads the ledger from its cursor and writes what they call for into the outbox, in one
 * transaction with the cursor, so that each event is announced once whatever crashes. Returns how many it read.
 */
export async function announceOnce(deps: BotDeps): Promise<number> {
  return deps.db.tx(async (tx) => {
    const [row] = await tx.query<{ cursor: string }>(
      'SELECT cursor FROM event_cursor WHERE reader = $1 FOR UPDATE',
      [READER],
    )
    const events = await readEvents(tx, row?.cursor ?? OLDEST, BATCH)
    if (events.length === 0) return 0
    for (const [runId, own] of Map.groupBy(
      events.filter((e) => e.run_id),
      (e) => e.run_id ?? '',
    ))
      await announceRun(deps, tx, runId, own)
    for (const event of events) if (event.type === 'lockdown') await tellLockdown(deps, tx, event)
    await tellGuides(deps, tx, events)
    await tx.query(
      'INSERT INTO event_cursor (reader, cursor) VALUES ($1, $2) ON CONFLICT (reader) DO UPDATE SET cursor = $2',
      [READER, events.at(-1)?.cursor],
    )
    return events.length
  })
}

/** The first bot of an installation starts at the newest event. */
export async function startCursor(deps: BotDeps): Promise<void> {
  await deps.db.query('INSERT INTO event_cursor (reader, cursor) VALUES ($1, $2) ON CONFLICT DO NOTHING', [
    READER,
    await newestCursor(deps.db),
  ])
}

const worthALook = new Set([
  'approval.asked',
  'approval.approved',
  'approval.reminder',
  'milestone.started',
  'milestone.done',
  'run.succeeded',
  'run.failed',
  'task.needs_review',
])

/** What somebody must be told, whoever asked for the run. */
const asksPeople = new Set(['approval.asked', 'approval.reminder', 'task.needs_review'])

async function announceRun(deps: BotDeps, tx: Tx, runId: string, events: LedgerEvent[]): Promise<void> {
  const telling = events.filter((event) => worthALook.has(event.type))
  tx.afterCommit(() => deps.bus.publish('run.changed', { runId }))
  if (telling.length === 0) return
  if (telling.some((event) => asksPeople.has(event.type))) await giveHome(tx, runId)
  const run = await viewRun(tx, runId)
  if (!run) return
  for (const event of telling)
    if (event.type === 'approval.asked' || event.type === 'approval.reminder')
      await askPeople(deps, tx, run, event)
  if (!run.chatId) return
  const where: Where = { chatId: run.chatId, topicId: run.topicId }
  let lowered = await askReview(deps, tx, run, telling, where)
  for (const event of telling) lowered = (await announce(deps, tx, run, event, where)) || lowered
  if (lowered && ['running', 'paused', 'cancelling'].includes(run.status)) {
    await sayCard(tx, deps.bus, where, {
      kind: 'run',
      runId,
      silent: true,
      key: `card:${runId}:${telling.at(-1)?.seq}`,
    })
  }
}

/** Writes what one event calls for. True when the live card has to follow below. */
async function announce(
  deps: BotDeps,
  tx: Tx,
  run: RunView,
  event: LedgerEvent,
  where: Where,
): Promise<boolean> {
  switch (event.type) {
    case 'approval.approved':
      return true
    case 'milestone.started':
    case 'milestone.done':
      await tellProgress(deps, tx, run)
      return false
    case 'run.succeeded':
    case 'run.failed':
      await outcome(deps, tx, run, event, where)
      return false
    default:
      return false
  }
}

/**
 * One question for all steps of a run whose end is not known; those that join while it is open show on the card. True
 * when it was asked: the card with its buttons follows below.
 */
async function askReview(
  deps: BotDeps,
  tx: Tx,
  run: RunView,
  events: LedgerEvent[],
  where: Where,
): Promise<boolean> {
  const fresh = new Set(events.filter(({ type }) => type === 'task.needs_review').map((e) => e.task_id))
  const doubtful = run.tasks.filter((task) => task.status === 'needs_review')
  const [first] = doubtful
  if (fresh.size === 0 || !first || doubtful.some((task) => !fresh.has(task.id))) return false
  const why = escapeHtml(first.error?.message ?? '')
  const steps = doubtful.map((task) => escapeHtml(task.key)).join(', ')
  const text =
    doubtful.length === 1
      ? `🖐 <b>#${run.number}</b> step ${steps} needs you: ${why}\n${escapeHtml(first.title)} was not repeated, since it may have changed something.`
      : `🖐 <b>#${run.number}</b> ${doubtful.length} steps need you (${steps}): ${why}\nThey were not repeated, since they may have changed something.`
  const seq = Math.max(...events.map((event) => event.seq))
  await say(tx, deps.bus, where, text, { silent: false, key: `review:${run.id}:${seq}` })
  return true
}

async function outcome(deps: BotDeps, tx: Tx, run: RunView, event: LedgerEvent, where: Where): Promise<void> {
  if (!hasOwnOutcome(run)) return
  const took = event.at.getTime() - (run.startedAt ?? run.createdAt).getTime()
  const silent = event.type === 'run.succeeded' && took <= LOUD_AFTER_MS
  await sayCard(tx, deps.bus, where, {
    kind: 'outcome',
    runId: run.id,
    silent,
    key: `outcome:${run.id}:${event.seq}`,
  })
}

/** Announces whenever the ledger changes, and every second in case a notice was lost. Returns what stops it. */
export function startAnnouncing(deps: BotDeps): () => Promise<void> {
  let running: Promise<void> | null = null
  let again = false
  let stopped = false
  const drain = async (): Promise<void> => {
    do {
      again = false
      while ((await announceOnce(deps)) === BATCH);
    } while (again && !stopped)
  }
  const kick = (): void => {
    if (stopped) return
    if (running) {
      again = true
      return
    }
    running = drain()
      .catch((error) => tellFault(deps.log, 'announce', error))
      .finally(() => {
        running = null
        if (again) kick()
      })
  }
  const soon = coalesce(GAP_MS, () => setTimeout(kick, YIELD_MS))
  const unsubscribe = deps.bus.subscribe('run.changed', () => soon('events'))
  const timer = setInterval(kick, 1000)
  const later = setInterval(() => {
    tellLaterOnce(deps).catch((error) => tellFault(deps.log, 'progress', error))
  }, LATER_MS)
  kick()
  return async () => {
    stopped = true
    unsubscribe()
    clearInterval(timer)
    clearInterval(later)
    await running
  }
}
