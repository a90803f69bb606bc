import { choosePlace, type Place, readWish } from '../core/fleet/choosePlace.ts'
import { createRun } from '../core/runs/createRun.ts'
import { sayCard } from './delivery/say.ts'
import { refusalOf } from './middleware/permitted.ts'
import type { Buttons } from './render/buttons.ts'
import { escapeHtml } from './render/html.ts'
import { here, reply } from './reply.ts'
import { type BotDeps, isForwarded, type Turn } from './turn.ts'

export type Kind = 'command' | 'request'
/** Longest request taken from chat, in characters: several messages of Telegram. What is beyond it is said. */
export const MAX_REQUEST = 16_000
/** Longest command: one message. A cut command would be another command. */
const MAX_COMMAND = 4000

export type Placed =
  | { kind: 'place'; text: string; place: Place }
  | { kind: 'none' }
  | { kind: 'pick'; text: string; places: Place[]; unknown: string | null }

/** Where a request of this turn works, and what of its text is left once the place is taken out. */
export async function placeFor(turn: Turn, kind: Kind, written: string): Promise<Placed> {
  const at =
    kind === 'command' && !written.startsWith('@')
      ? { text: written, wish: null }
      : await readWish(turn.tx, written)
  const chosen = await choosePlace(turn.tx, asker(turn), kind, at.wish)
  if (chosen.kind === 'place') return { kind: 'place', text: at.text, place: chosen.place }
  if (chosen.kind === 'none') return { kind: 'none' }
  return {
    kind: 'pick',
    text: at.text,
    places: chosen.places,
    unknown: chosen.kind === 'unknown' ? chosen.asked : null,
  }
}

export const asker = (turn: Turn) => ({
  chatId: turn.chat.id,
  topicId: turn.topicId,
  personId: turn.person.id,
})

/**
 * A run with its card: the answer to a request, in the transaction of the update that asked, by who may start work here.
 * `forwarded`: its words, or some of them, are somebody else's.
 */
export async function startRun(
  deps: BotDeps,
  turn: Turn,
  kind: Kind,
  text: string,
  place: Pick<Place, 'agentId' | 'cwd'>,
  forwarded = isForwarded(turn),
): Promise<void> {
  const refusal = (await refusalOf(turn, 'text that asks for work', null)) ?? tooLong(kind, text)
  if (refusal) return reply(deps, turn, refusal)
  if (text.length > MAX_REQUEST)
    await reply(deps, turn, `That is long: I go by its first ${MAX_REQUEST.toLocaleString('en')} characters.`)
  const chat = { id: turn.chat.id, topicId: turn.topicId, messageId: turn.messageId }
  const run = await createRun(deps, turn.tx, {
    kind,
    request: deps.redact(text.slice(0, MAX_REQUEST)),
    forwarded,
    personId: turn.person.id,
    chat,
    place,
  })
  await sayCard(turn.tx, deps.bus, here(turn, turn.chat.kind !== 'private'), {
    kind: 'run',
    runId: run.id,
    silent: true,
    key: `card:${run.id}`,
    first: true,
  })
}

const tooLong = (kind: Kind, text: string): string | null =>
  kind === 'command' && text.length > MAX_COMMAND
    ? 'This command is too long to be sure that all of it arrived, so nothing was started. Put it into a file and run that.'
    : null

/** A request with its place: started, or asked for the place with buttons that start it. */
export async function startOrAsk(
  deps: BotDeps,
  turn: Turn,
  kind: Kind,
  written: string,
  forwarded = isForwarded(turn),
): Promise<void> {
  const refusal = tooLong(kind, written)
  if (refusal) return reply(deps, turn, refusal)
  const placed = await placeFor(turn, kind, written)
  if (placed.kind === 'none')
    return reply(deps, turn, 'No machine is enrolled yet. /agents shows how to add one.')
  if (placed.kind === 'place') return startRun(deps, turn, kind, placed.text, placed.place, forwarded)
  const head = placed.unknown
    ? `I know no place called <code>${escapeHtml(placed.unknown)}</code>. Where?`
    : 'Where should this run?'
  await reply(deps, turn, head, {
    buttons: placeButtons(placed.places, (place) => ({
      do: 'start',
      kind,
      text: deps.redact(placed.text.slice(0, MAX_REQUEST)),
      agentId: place.agentId,
      cwd: place.cwd,
      ...(forwarded ? { forwarded } : {}),
    })),
    silent: false,
  })
}

const MAX_PLACES = 8

/** A button for each place, the last used first. */
export const placeButtons = (
  places: readonly Place[],
  action: (place: Place) => Buttons[number][number]['action'],
): Buttons => places.slice(0, MAX_PLACES).map((place) => [{ text: place.label, action: action(place) }])
