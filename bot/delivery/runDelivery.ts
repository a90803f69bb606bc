import type { Api } from 'grammy'
import { failpoint } from '../../core/config/failpoint.ts'
import { messageOf } from '../../core/config/logger.ts'
import { tellFault } from '../../core/storage/tellFault.ts'
import { refreshCard } from '../cards/refreshCard.ts'
import type { BotDeps } from '../turn.ts'
import { blockChat } from './blockChat.ts'
import { type Called, callTelegram } from './callTelegram.ts'
import { addMark, emptyLane, type Lane, lastFirst, type Mark, nextKind } from './lane.ts'
import { createLimits, type Kind, type LimitOptions, type Limits } from './limits.ts'
import { moveChat } from './moveChat.ts'
import { markEnded, markSent, readPending } from './outbox.ts'
import { type Delivery, type Sent, sendOne, takeUp } from './sendOne.ts'

/** Longest a send that found no answer is put off before it is tried again. */
const MAX_BACKOFF_MS = 30_000

/**
 * The one way out to Telegram. Sends come from the outbox, in order per chat; edits are not queued at all: a card
 * that may have changed is marked, and what it then shows is rendered from the ledger when its turn comes, so the
 * newest state wins. Sends go before edits. A refused send is tried again, never dropped; what Telegram will never
 * take is marked failed and logged.
 */
export function runDelivery(deps: BotDeps, api: Api, options?: LimitOptions, holder: string | null = null) {
  const limits: Limits = createLimits(options)
  const lanes = new Map<number, Lane>()
  const known = new Set<number>()
  let stopped = false
  let looking: Promise<void> | null = null
  let lookAgain = false

  const laneOf = (chatId: number): Lane => {
    const lane = lanes.get(chatId) ?? emptyLane(chatId)
    lanes.set(chatId, lane)
    return lane
  }

  /** Takes what the outbox has and this process does not know yet. */
  const look = async (): Promise<void> => {
    const rows = await readPending(deps, known)
    for (const row of rows) {
      known.add(row.id)
      if (row.chat_id === null) void answerNow(row)
      else {
        laneOf(row.chat_id).sends.push(row)
        void work(laneOf(row.chat_id))
      }
    }
  }

  const kick = (): void => {
    if (stopped) return
    if (looking) {
      lookAgain = true
      return
    }
    looking = look()
      .catch((error) => tellFault(deps.log, 'outbox', error))
      .finally(() => {
        looking = null
        if (lookAgain) {
          lookAgain = false
          kick()
        }
      })
  }

  /** Answers to taps wait for nobody and are worth nothing later: one try. */
  const answerNow = async (row: Delivery): Promise<void> => {
    const called = await callTelegram(api, row.method, row.payload).catch(
      (error): Called => ({ kind: 'no', reason: messageOf(error) }),
    )
    await finish(
      row,
      called.kind === 'ok' ? 'sent' : 'failed',
      null,
      called.kind === 'ok' ? null : called.kind,
    )
  }

  const finish = async (
    row: Delivery,
    status: 'sent' | 'failed',
    messageId: number | null,
    error: string | null,
  ): Promise<void> => {
    await markEnded(deps, row, { status, messageId, error })
      .then(() => known.delete(row.id))
      .catch((e) => {
        tellFault(deps.log, 'outbox', e)
        if (!stopped) setTimeout(() => void finish(row, status, messageId, error), 1000).unref()
      })
  }

  const later = (lane: Lane, ms: number, pacing = false): void => {
    if (lane.timer || stopped) return
    lane.pacing = pacing
    lane.timer = setTimeout(
      () => {
        lane.timer = null
        void work(lane)
      },
      Math.max(1, ms),
    )
  }

  const work = async (lane: Lane): Promise<void> => {
    if (lane.busy || lane.timer || stopped) return
    lane.busy = true
    try {
      while (!stopped && (lane.sends.length > 0 || lane.dirty.size > 0)) {
        const kind = nextKind(lane)
        const wait = limits.waitFor(lane.chatId, kind, Date.now())
        if (wait > 0) return later(lane, wait, true)
        if (!(await (kind === 'send' ? sendNext(lane) : editNext(lane, kind)))) return
      }
    } catch (error) {
      tellFault(deps.log, `delivery to ${lane.chatId}`, error)
      later(lane, 1000)
    } finally {
      lane.busy = false
    }
  }

  /** False when the lane has to wait. */
  const sendNext = async (lane: Lane): Promise<boolean> => {
    const row = lane.sends[0]
    if (!row) return true
    if (row.wait_ms > 0) {
      const ms = row.wait_ms
      row.wait_ms = 0
      later(lane, ms)
      return false
    }
    const due = await takeUp(deps, row, holder)
    if (!due) {
      lane.sends.shift()
      known.delete(row.id)
      return true
    }
    limits.used(lane.chatId, 'send', Date.now())
    failpoint('message.sent:before')
    const sent = await sendOne(deps, api, row, due.card)
    failpoint('message.sent:after')
    return settle(lane, row, sent)
  }

  const settle = async (lane: Lane, row: Delivery, sent: Sent): Promise<boolean> => {
    switch (sent.kind) {
      case 'ok':
        lane.failures = 0
        await keepSent(lane, row, sent)
        lane.sends.shift()
        return true
      case 'again': {
        lane.failures += 1
        const ms = sent.ms ?? Math.min(MAX_BACKOFF_MS, 500 * 2 ** Math.min(lane.failures, 6))
        if (sent.ms !== null) limits.block(lane.chatId, ms, Date.now())
        deps.log.warn(`Telegram: ${sent.reason}; trying again in ${ms} ms`)
        later(lane, ms)
        return false
      }
      case 'blocked':
        await block(lane, sent.reason)
        return true
      case 'moved':
        await follow(lane, sent.chatId)
        return true
      case 'no':
        deps.log.error(`Telegram will not take message ${row.id} to ${lane.chatId}: ${sent.reason}`)
        lane.sends.shift()
        if (row.card_id) await deps.db.query("UPDATE card SET state = 'settled' WHERE id = $1", [row.card_id])
        await finish(row, 'failed', null, sent.reason)
        return true
    }
  }

  /** What was sent is written down before anything else goes to that chat, however long it takes: else it would be sent again. */
  const keepSent = async (lane: Lane, row: Delivery, sent: Sent & { kind: 'ok' }): Promise<void> => {
    for (;;) {
      try {
        const state = await markSent(deps, row, sent)
        failpoint('message.sent:committed')
        known.delete(row.id)
        if (row.card_id && state !== null && state !== 'settled')
          lane.dirty.set(row.card_id, { force: false, last: false })
        return
      } catch (error) {
        tellFault(deps.log, `outbox: message ${row.id} was sent but is not written down yet`, error)
        if (stopped) return
        await new Promise((resolve) => setTimeout(resolve, 500))
      }
    }
  }

  const editNext = async (lane: Lane, kind: Kind): Promise<boolean> => {
    const next = lastFirst(lane)
    if (!next) return true
    const [cardId, mark] = next
    lane.dirty.delete(cardId)
    const result = await refreshCard(deps, api, cardId, {
      force: mark.force,
      beforeCall: () => limits.used(lane.chatId, kind, Date.now()),
    }).catch((error) => {
      lane.dirty.set(cardId, mark)
      throw error
    })
    if (result.kind === 'again') {
      lane.dirty.set(cardId, mark)
      const ms = result.ms ?? 2000
      if (result.ms !== null) limits.block(lane.chatId, ms, Date.now())
      later(lane, ms)
      return false
    }
    if (result.kind === 'blocked') await block(lane, result.reason)
    if (result.kind === 'moved') await follow(lane, result.chatId)
    return true
  }

  const block = async (lane: Lane, reason: string): Promise<void> => {
    await deps.db.tx((tx) => blockChat(tx, lane.chatId, reason))
    forget(lane)
  }

  const forget = (lane: Lane): void => {
    for (const row of lane.sends) known.delete(row.id)
    lane.sends = []
    lane.dirty.clear()
  }

  /** What waits for the old id of a group is read again from the outbox, under the new one. */
  const follow = async (lane: Lane, to: number): Promise<void> => {
    await deps.db.tx((tx) => moveChat(tx, deps.bus, lane.chatId, to))
    forget(lane)
    kick()
  }

  const unsubscribe = deps.bus.subscribe('deliver', kick)
  const timer = setInterval(kick, 1000)
  kick()
  return {
    /** Marks a card that may have changed; it is rendered and edited when its chat's turn comes. */
    markCard: (chatId: number, cardId: string, mark: Mark = { force: false, last: false }): void => {
      const lane = laneOf(chatId)
      addMark(lane, cardId, mark)
      if (mark.last && lane.pacing && lane.timer) {
        clearTimeout(lane.timer)
        lane.timer = null
      }
      void work(lane)
    },
    stop: async (): Promise<void> => {
      stopped = true
      unsubscribe()
      clearInterval(timer)
      for (const lane of lanes.values()) if (lane.timer) clearTimeout(lane.timer)
      await looking
      const deadline = Date.now() + 3000
      while ([...lanes.values()].some((lane) => lane.busy) && Date.now() < deadline)
        await new Promise((resolve) => setTimeout(resolve, 10))
    },
  }
}

export type DeliveryLoop = ReturnType<typeof runDelivery>
