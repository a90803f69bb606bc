import type { Conversation } from '@grammyjs/conversations'
import type { Context } from 'grammy'
import { isStopWord, understand } from '../../core/talk/understand.ts'
import { actionOf } from '../actionOf.ts'
import type { BotContext } from '../context.ts'
import { say } from '../delivery/say.ts'
import { ANSWER_PREFIX } from '../render/buttons.ts'
import { escapeHtml } from '../render/html.ts'
import { here, reply, toast } from '../reply.ts'
import { MAX_REQUEST, placeButtons, placeFor, startRun } from '../startRun.ts'
import { type BotDeps, isOthersWords } from '../turn.ts'

type Talk = Conversation<BotContext, Context>
/** `forwarded`: what was asked so far has somebody else's words in it. */
export type RequestStart = { asked: string; placed: boolean; forwarded?: boolean }
/** Whether any of the words were somebody else's; of a replay the same comes out. */
type Heard = { forwarded: boolean }
type Place = { agentId: string; cwd: string; label: string }

/**
 * Collects what a request lacks: what, where, and anything to keep in mind; then starts the run. It collects only;
 * every effect is inside `external`, so a replay repeats none. Its state is a row, so it survives a restart.
 */
export const requestConversation = (deps: BotDeps) =>
  async function request(conversation: Talk, _ctx: Context, start: RequestStart): Promise<void> {
    const asks = start.asked === ''
    const heard: Heard = { forwarded: start.forwarded === true }
    const what = asks ? await askWhat(deps, conversation, heard) : start.asked
    const place = await settlePlace(deps, conversation, what)
    if (!place) return
    const note = asks ? await askNote(deps, conversation, place.place.label, heard) : ''
    const text = note ? `${place.text}\n${note}` : place.text
    await conversation.external((ctx) =>
      startRun(deps, ctx.turn, 'request', text, place.place, heard.forwarded).then(() => null),
    )
  }

/** Answers are plain text and taps on this conversation's own buttons; all else passes on to who it is meant for. */
const isAnswer = (ctx: Context): boolean =>
  ctx.callbackQuery
    ? (ctx.callbackQuery.data ?? '').startsWith(ANSWER_PREFIX)
    : ctx.message?.text !== undefined && !ctx.message.text.startsWith('/') && !isForTheBot(ctx.message.text)

/** Stop words and questions about work are meant for the bot, whatever it has asked. */
const isForTheBot = (text: string): boolean => isStopWord(text) || understand(text).kind === 'question'

const nextAnswer = (conversation: Talk): Promise<Context> => conversation.waitUntil(isAnswer, { next: true })

async function askWhat(deps: BotDeps, conversation: Talk, heard: Heard): Promise<string> {
  await conversation.external((ctx) =>
    reply(deps, ctx.turn, '📝 <b>What should be done?</b>\nSay it in a sentence. /cancel leaves.', {
      silent: false,
      forceReply: 'What should be done?',
    }),
  )
  const { message } = await nextAnswer(conversation)
  if (message?.text === undefined) return askWhat(deps, conversation, heard)
  heard.forwarded ||= isOthersWords(message)
  return message.text.slice(0, MAX_REQUEST)
}

/** The place of the request: named, chosen, the only one, or picked from buttons. Null when there is no machine. */
async function settlePlace(
  deps: BotDeps,
  conversation: Talk,
  what: string,
): Promise<{ text: string; place: Place } | null> {
  const placed = await conversation.external((ctx) => placeFor(ctx.turn, 'request', what))
  if (placed.kind === 'place') return { text: placed.text, place: placed.place }
  if (placed.kind === 'none') {
    await conversation.external((ctx) =>
      reply(deps, ctx.turn, 'No machine is enrolled yet. /agents shows how to add one.'),
    )
    return null
  }
  const buttons = placeButtons(placed.places, (place) => ({
    do: 'answer',
    value: placeAnswer(place),
  }))
  const head = placed.unknown
    ? `I know no place called <code>${escapeHtml(placed.unknown)}</code>. <b>Where?</b>`
    : '<b>Where?</b>'
  await conversation.external((ctx) => reply(deps, ctx.turn, head, { buttons, silent: false }))
  for (;;) {
    await nextAnswer(conversation)
    const answer = await conversation.external((ctx) => readPlace(deps, ctx, placed.places))
    if (answer) return { text: placed.text, place: answer }
  }
}

/** What the button of a place answers. */
const placeAnswer = (place: Place): string => `${place.agentId} ${place.cwd}`

/** A tapped place, or one that was written. */
async function readPlace(deps: BotDeps, ctx: BotContext, places: Place[]): Promise<Place | null> {
  if (ctx.callbackQuery) {
    const action = await actionOf(ctx)
    await toast(deps, ctx.turn, action?.do === 'answer' ? '' : 'Pick a place first, or /cancel.')
    return action?.do === 'answer'
      ? (places.find((place) => action.value === placeAnswer(place)) ?? null)
      : null
  }
  const text = ctx.message?.text?.trim().toLowerCase() ?? ''
  const named = places.find(
    (place) => place.label.toLowerCase() === text || place.cwd.split('/').at(-1)?.toLowerCase() === text,
  )
  if (!named) await reply(deps, ctx.turn, 'Tap one of the places above, or write its name. /cancel leaves.')
  return named ?? null
}

const NO_NOTE = 'nothing'

async function askNote(deps: BotDeps, conversation: Talk, label: string, heard: Heard): Promise<string> {
  await conversation.external((ctx) =>
    say(
      ctx.turn.tx,
      deps.bus,
      here(ctx.turn, false),
      `In <b>${escapeHtml(label)}</b>. <b>Anything to keep in mind?</b>`,
      {
        buttons: [[{ text: 'No, go', style: 'primary', action: { do: 'answer', value: NO_NOTE } }]],
        silent: false,
      },
    ),
  )
  for (;;) {
    const next = await nextAnswer(conversation)
    if (next.message?.text) {
      heard.forwarded ||= isOthersWords(next.message)
      return next.message.text.slice(0, 1000)
    }
    const answer = await conversation.external(async (ctx) => {
      const action = ctx.callbackQuery ? await actionOf(ctx) : null
      await toast(deps, ctx.turn)
      return action?.do === 'answer' ? action.value : null
    })
    if (answer === NO_NOTE) return ''
  }
}
