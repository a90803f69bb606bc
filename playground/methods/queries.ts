import { badRequest } from '../apiError.ts'
import { flag, text } from '../readParams.ts'
import type { Method } from './method.ts'

const ttlMs = 15_000
const answersKept = 1000

/** Answers a tap: once, and only while it is fresh. */
export const answerCallbackQuery: Method = (world, params) => {
  const callback_query_id = text(params, 'callback_query_id') ?? ''
  const shown = text(params, 'text') ?? ''
  const tappedAt = world.queries.get(callback_query_id)
  if (tappedAt === undefined || Date.now() - tappedAt > (world.options.callbackTtlMs ?? ttlMs)) {
    throw badRequest('query is too old and response timeout expired or query ID is invalid')
  }
  if ([...shown].length > 200) throw badRequest('MESSAGE_TOO_LONG')
  world.queries.delete(callback_query_id)
  const answer = { callback_query_id, text: shown, show_alert: flag(params, 'show_alert') }
  world.answers.push(answer)
  if (world.answers.length > answersKept) world.answers.shift()
  world.hub.publish({ type: 'answer', answer })
  return true
}
