import { Composer } from 'grammy'
import { correctMemory, forgetMemory, readMemory, undoCorrection } from '../../core/memory/changeMemory.ts'
import { listMemories, memoryStats, readMemories } from '../../core/memory/listMemories.ts'
import { memoryName } from '../../core/memory/memory.ts'
import { noteFact } from '../../core/memory/noteFact.ts'
import { recall } from '../../core/memory/recall.ts'
import { type Scope, scopeOf } from '../../core/memory/scope.ts'
import { outsideOf } from '../../core/people/entitlements.ts'
import { permits } from '../../core/people/methods.ts'
import type { PlanSource } from '../../core/planning/planOutcome.ts'
import { findShown, noSuchRun } from '../../core/runs/shownIn.ts'
import type { BotContext } from '../context.ts'
import { putAside } from '../conversations/leave.ts'
import type { ButtonAction, Buttons } from '../render/buttons.ts'
import { clip, escapeHtml, quote } from '../render/html.ts'
import { memoryCard, memoryHead, memoryPage, PAGE } from '../render/memoryCards.ts'
import { unmask } from '../render/unmask.ts'
import { replace, reply, toast } from '../reply.ts'
import { type BotDeps, isForwarded, type Turn } from '../turn.ts'

const OFF = 'Memory is switched off here (<code>SKYNET_MEMORY_ENABLED=false</code>).'
/** Found ones that can be paged through. */
const MOST_FOUND = 50
/** Longest text that a person may put down, in characters. */
export const MAX_NOTE = 1000
const gone = (id: number): string => `There is no ${memoryName(id)} for you. It may have been forgotten.`

/**
 * /memory: what is remembered, newest first; with words it is searched; `M12` shows one, `#12` what the plan of that run
 * was made with; `remember ...` puts something down.
 */
export function memory(deps: BotDeps): Composer<BotContext> {
  const composer = new Composer<BotContext>()
  composer.command('memory', async (ctx) => {
    const { turn } = ctx
    const said = String(ctx.match ?? '').trim()
    if (!deps.memory) return reply(deps, turn, OFF)
    const note = /^remember(?:\s+that)?\s+(.+)$/is.exec(said)?.[1]
    const one = /^m(\d{1,12})$/i.exec(said)?.[1]
    const run = /^(?:why\s+)?#(\d{1,9})$/i.exec(said)?.[1]
    const forget = /^forget\s+m(\d{1,12})$/i.exec(said)?.[1]
    if (note !== undefined) return putDown(deps, turn, note)
    if (one !== undefined) return showMemory(deps, turn, Number(one))
    if (forget !== undefined) return askToForget(deps, turn, Number(forget))
    if (run !== undefined) return showByNumber(deps, turn, Number(run))
    return showPage(deps, turn, { query: said.slice(0, 200), offset: 0 })
  })
  return composer
}

/** In a group everybody reads along: it is shown its own memories alone, and nobody's preferences. */
const groupOf = ({ chat }: Turn): number | null => (chat.kind === 'private' ? null : chat.id)
const scope = (turn: Turn): Promise<Scope> => scopeOf(turn.tx, turn.person.id, groupOf(turn))

type Page = { query?: string; found?: number[] | undefined; offset: number }

/** A page of the newest memories, or of those that were found: by these words now, or by a search before. */
export async function showPage(
  deps: BotDeps,
  turn: Turn,
  { query = '', found, offset }: Page,
): Promise<void> {
  if (!deps.memory) return reply(deps, turn, OFF)
  const eyes = await scope(turn)
  const asked = { text: query, personId: turn.person.id, groupId: groupOf(turn), limit: MOST_FOUND }
  const ids = found ?? (query === '' ? undefined : (await recall(deps, asked)).map(({ id }) => id))
  const memories = ids
    ? await readMemories(turn.tx, eyes, ids.slice(offset, offset + PAGE + 1))
    : await listMemories(turn.tx, eyes, offset, PAGE + 1)
  const stats = await memoryStats(turn.tx, deps.memory, eyes)
  const shown = { memories, stats, query: found ? null : query, found: ids, offset, now: deps.clock.now() }
  const page = memoryPage(shown)
  await reply(deps, turn, page.html, { buttons: page.buttons })
}

/** One memory in full, with what can be done about it. */
export async function showMemory(deps: BotDeps, turn: Turn, id: number, back = false): Promise<void> {
  const found = await readMemory(turn.tx, await scope(turn), id)
  if (!found) return back ? replace(deps, turn, gone(id)) : reply(deps, turn, gone(id))
  const mayChange = permits(turn.person, 'tap forget_memory', { own: found.personId === turn.person.id })
  const card = memoryCard(found, { mayChange, now: deps.clock.now() })
  if (back) await replace(deps, turn, card.html, card.buttons)
  else await reply(deps, turn, card.html, { buttons: card.buttons })
}

/** What keeps this person from changing it: it may be gone, or somebody else's; null when nothing does. */
async function obstacle(turn: Turn, id: number): Promise<string | null> {
  const found = await readMemory(turn.tx, await scope(turn), id)
  if (!found) return gone(id)
  const own = found.personId === turn.person.id
  return permits(turn.person, 'tap forget_memory', { own })
    ? null
    : 'Only who asked for it, approvers and owners may change it.'
}

async function askToForget(deps: BotDeps, turn: Turn, id: number): Promise<void> {
  const no = await obstacle(turn, id)
  if (no !== null) return reply(deps, turn, no)
  const html = `Forget <b>${memoryName(id)}</b> for good? It cannot be brought back, and is not made of the same run again. What the ledger tells of the run stays.`
  const buttons: Buttons = [
    [{ text: 'Forget it', action: { do: 'forget_memory', id, sure: true }, style: 'danger' }],
    [{ text: 'Keep it', action: { do: 'memory', id, back: true } }],
  ]
  if (turn.update.callback_query) await replace(deps, turn, html, buttons)
  else await reply(deps, turn, html, { buttons })
}

/** The first tap asks, in place of what it was tapped on; the second forgets, and says so there. */
export async function forget(
  deps: BotDeps,
  turn: Turn,
  { id, sure }: Extract<ButtonAction, { do: 'forget_memory' }>,
): Promise<void> {
  const no = await obstacle(turn, id)
  if (no !== null) return toast(deps, turn, no, true)
  if (sure) await forgetMemory(turn.tx, await scope(turn), id, turn.person.id)
  await toast(deps, turn, sure ? `${memoryName(id)} is forgotten.` : '')
  if (sure) await replace(deps, turn, `<b>${memoryName(id)}</b> is forgotten.`)
  else await askToForget(deps, turn, id)
}

async function putDown(deps: BotDeps, turn: Turn, text: string): Promise<void> {
  if (!permits(turn.person, 'tap correct_memory'))
    return reply(deps, turn, 'You may look here, not change anything.')
  const note = {
    ...{ kind: 'fact' as const, text: text.slice(0, MAX_NOTE), program: isForwarded(turn) },
    ...{ personId: turn.person.id, chatId: turn.chat.id, agentId: null, cwd: null },
  }
  const id = await noteFact(deps, turn.tx, note, deps.clock.now())
  await reply(deps, turn, `Remembered as <b>${memoryName(id)}</b>.`, {
    buttons: [[{ text: 'Forget it', action: { do: 'forget_memory', id, sure: true } }]],
  })
}

/** Asks for the right words in a conversation. */
export async function startCorrection(deps: BotDeps, ctx: BotContext, id: number): Promise<void> {
  const { turn } = ctx
  const no = await obstacle(turn, id)
  await toast(deps, turn, no ?? '', no !== null)
  if (no !== null) return
  await putAside(deps, ctx, 'correctMemory')
  await ctx.conversation.enter('correctMemory', { id })
}

/** The question for the right words, with what it says now. */
export async function askForWords(deps: BotDeps, turn: Turn, id: number): Promise<void> {
  const found = await readMemory(turn.tx, await scope(turn), id)
  const html = `${memoryName(id)} says:\n${quote(clip(unmask(found?.text ?? ''), 1500))}\n<b>What is right?</b> /cancel leaves it.`
  await reply(deps, turn, html, { silent: false, forceReply: 'The right words' })
}

/** Puts a person's words in place of a memory's. Returns nothing: it answers. */
export async function correct(deps: BotDeps, turn: Turn, id: number, text: string): Promise<void> {
  const words = { id, text: text.slice(0, MAX_NOTE), by: turn.person.id, forwarded: isForwarded(turn) }
  const no = await obstacle(turn, id)
  if (no !== null) return reply(deps, turn, no)
  await correctMemory(deps, turn.tx, await scope(turn), words)
  await reply(deps, turn, `<b>${memoryName(id)}</b> is corrected.`, {
    buttons: [
      [
        { text: 'Undo', action: { do: 'undo_memory', id } },
        { text: memoryName(id), action: { do: 'memory', id } },
      ],
    ],
  })
}

/** Brings back what a memory said before. Returns what to say. */
export async function undo(turn: Turn, id: number): Promise<string> {
  const no = await obstacle(turn, id)
  if (no !== null) return no
  const done = await undoCorrection(turn.tx, await scope(turn), id, turn.person.id)
  return done
    ? `${memoryName(id)} says again what it said before.`
    : 'What it said before is no longer known.'
}

async function showByNumber(deps: BotDeps, turn: Turn, number: number): Promise<void> {
  const runId = await findShown(turn.tx, number, turn.chat.id)
  if (!runId) return reply(deps, turn, noSuchRun(number, { chatId: turn.chat.id }))
  await showOfRun(deps, turn, runId)
}

/** Which memories the plan of a run was made with: why it is as it is. */
export async function showOfRun(deps: BotDeps, turn: Turn, runId: string): Promise<void> {
  if (await outsideOf(turn.tx, turn.person.id, runId))
    return reply(deps, turn, 'This belongs to a chat or a machine that is not yours.')
  const [run] = await turn.tx.query<{ number: number; source: PlanSource | null }>(
    'SELECT r.number, p.source FROM run r LEFT JOIN plan p ON p.run_id = r.id AND p.version = r.plan_version WHERE r.id = $1',
    [runId],
  )
  if (!run) return reply(deps, turn, 'That run is gone.')
  const ids = run.source?.kind === 'model' ? (run.source.memories ?? []) : []
  if (ids.length === 0)
    return reply(
      deps,
      turn,
      `The plan of #${run.number} was made without memories: ${escapeHtml(withoutWhy(run.source))}.`,
    )
  const shown = await readMemories(turn.tx, await scope(turn), ids)
  const lost = ids.length - shown.length
  const lines = [
    `The plan of #${run.number} was made with these in view:`,
    ...shown.map((one) => memoryHead(one, deps.clock.now())),
    ...(lost > 0 ? [`${lost} more, forgotten since or not to be shown here.`] : []),
  ]
  await reply(deps, turn, lines.join('\n'), {
    buttons: shown.map(({ id }) => [{ text: memoryName(id), action: { do: 'memory', id } }]),
  })
}

const withoutWhy = (source: PlanSource | null): string =>
  source?.kind === 'playbook'
    ? `it is the playbook ${source.name}`
    : source?.kind === 'model'
      ? 'none fitted the request'
      : 'it is just what was asked'
