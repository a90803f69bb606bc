import { Composer } from 'grammy'
import { assertNever } from '../../core/assertNever.ts'
import { allPlaces, setPlace } from '../../core/fleet/choosePlace.ts'
import { inviteMachine } from '../../core/fleet/inviteMachine.ts'
import { listMachines } from '../../core/fleet/machineFacts.ts'
import { cancelRun } from '../../core/runs/cancelRun.ts'
import { reviewTask } from '../../core/runs/reviewTask.ts'
import { actionOf } from '../actionOf.ts'
import type { BotContext } from '../context.ts'
import { putAside } from '../conversations/leave.ts'
import { refusalOf } from '../middleware/permitted.ts'
import type { ButtonAction } from '../render/buttons.ts'
import { clip, escapeHtml } from '../render/html.ts'
import { reply, toast } from '../reply.ts'
import { asker, placeButtons, startOrAsk, startRun } from '../startRun.ts'
import type { BotDeps } from '../turn.ts'
import { arm, decide, details } from './approvals.ts'
import { keep, remove, rename, reviewText, showGuide, showGuides } from './guides.ts'
import { answerLockdown } from './lockdown.ts'
import { postCard, sendLog } from './look.ts'
import { revokeMachine, showMachine } from './machine.ts'
import { forget, showMemory, showOfRun, showPage, startCorrection, undo } from './memory.ts'
import { chooseRecovery } from './recovery.ts'
import { askChange, dropStep, editStep, moveSteps, revise } from './revise.ts'
import { entitle, refreshSettings, showPeople, showPerson, showSettings } from './settings.ts'
import { askOnceMore, offerStanding, stand, unstand } from './standing.ts'
import { cancel, pauseOrResume, retry } from './steer.ts'
import { isOfAnotherChat, OTHER_CHAT, runOf } from './tapIsAbout.ts'

/** Taps on buttons: the id is looked up in the ledger and what it stands for is carried out. */
export function taps(deps: BotDeps): Composer<BotContext> {
  const composer = new Composer<BotContext>()
  composer.on('callback_query:data', async (ctx) => {
    const action = await actionOf(ctx)
    if (!action)
      return toast(deps, ctx.turn, 'This button no longer does anything. /status shows what is going on.')
    if (await isOfAnotherChat(ctx.turn, action)) return toast(deps, ctx.turn, OTHER_CHAT, true)
    const refusal = await refusalOf(ctx.turn, methodOf(action), await runOf(ctx.turn, action))
    if (refusal) return toast(deps, ctx.turn, refusal, true)
    await carryOut(deps, ctx, action)
  })
  composer.on('callback_query', (ctx) => toast(deps, ctx.turn))
  return composer
}

/** The name of a tap in the table of methods. */
export const methodOf = (action: Pick<ButtonAction, 'do'> & { verdict?: string }): string =>
  action.do === 'review' ? `tap review ${action.verdict}` : `tap ${action.do}`

async function carryOut(deps: BotDeps, ctx: BotContext, action: ButtonAction): Promise<void> {
  const { turn } = ctx
  const say = async (text: Promise<string>): Promise<void> => {
    const line = await text
    await toast(deps, turn, line, line.length > 60)
  }
  switch (action.do) {
    case 'decide':
      return say(decide(deps, turn, action, 'tap'))
    case 'arm':
      return arm(deps, turn, action.approvalId, action.armed)
    case 'details':
      return details(deps, turn, action.approvalId)
    case 'more':
      return offerStanding(deps, turn, action)
    case 'stand':
      return say(stand(deps, turn, action))
    case 'unstand':
      return say(unstand(deps, turn, action.standingId))
    case 'ask_again':
      return say(askOnceMore(deps, turn, action.approvalId))
    case 'settings':
      await toast(deps, turn)
      return showSettings(deps, turn)
    case 'skills':
      await toast(deps, turn)
      return showGuides(deps, turn)
    case 'guide':
      return showGuide(deps, turn, action)
    case 'keep':
      return keep(deps, turn, action.runId)
    case 'review_guide':
      return reviewText(deps, turn, action)
    case 'remove_guide':
      return remove(deps, turn, action)
    case 'rename_guide':
      return rename(deps, ctx, action.name)
    case 'people':
      return showPeople(deps, turn)
    case 'person':
      return showPerson(deps, turn, action.personId)
    case 'entitle':
      return entitle(deps, turn, action)
    case 'recovery':
      await chooseRecovery(deps, turn, action.mode)
      return refreshSettings(deps, turn)
    case 'lock_down':
      return answerLockdown(deps, turn, action)
    case 'machine':
      return showMachine(deps, turn, action.agentId)
    case 'revoke_machine':
      return revokeMachine(deps, turn, action)
    case 'revise':
      return revise(deps, turn, action.approvalId)
    case 'edit':
      return editStep(deps, ctx, action.approvalId, action.taskKey)
    case 'say_change':
      return askChange(deps, ctx, action.approvalId)
    case 'move':
      return moveSteps(deps, turn, action.approvalId, action)
    case 'drop':
      return dropStep(deps, turn, action.approvalId, action.taskKey)
    case 'cancel':
      return say(cancel(deps, turn, action.runId))
    case 'pause':
    case 'resume':
      return say(pauseOrResume(deps, turn, action.runId, action.do))
    case 'retry':
      return say(retry(deps, turn, action.runId, action.taskId))
    case 'review':
      return review(deps, ctx, action)
    case 'release':
      return toast(deps, turn)
    case 'logs':
      await toast(deps, turn)
      return sendLog(deps, ctx, action.runId)
    case 'card':
      await toast(deps, turn)
      return postCard(deps, ctx, action.runId)
    case 'again':
      return again(deps, ctx, action.runId)
    case 'elsewhere':
      return elsewhere(deps, ctx, action.runId)
    case 'say':
      return sayFor(deps, ctx, action)
    case 'details_of':
      return detailsOf(deps, ctx, action)
    case 'start':
      return startHere(deps, ctx, action)
    case 'use':
      return useHere(deps, ctx, action)
    case 'add_machine':
      return addMachine(deps, ctx)
    case 'memory':
      await toast(deps, turn)
      return showMemory(deps, turn, action.id, action.back)
    case 'memories':
      await toast(deps, turn)
      return showPage(deps, turn, { found: action.found, offset: action.offset })
    case 'memories_of':
      await toast(deps, turn)
      return showOfRun(deps, turn, action.runId)
    case 'forget_memory':
      return forget(deps, turn, action)
    case 'correct_memory':
      return startCorrection(deps, ctx, action.id)
    case 'undo_memory':
      return say(undo(turn, action.id))
    case 'answer':
      return toast(deps, turn, 'That question is over.')
    default:
      return assertNever(action)
  }
}

/** The same request anew, in the same place. */
export async function again(deps: BotDeps, ctx: BotContext, runId: string): Promise<void> {
  const { turn } = ctx
  const [run] = await turn.tx.query<{
    kind: string
    request: string
    agent_id: string | null
    cwd: string | null
    forwarded: boolean
  }>('SELECT kind, request, agent_id, cwd, forwarded FROM run WHERE id = $1', [runId])
  if (!run) return toast(deps, turn, 'That run is gone.')
  await toast(deps, turn)
  await putAside(deps, ctx)
  const kind = run.kind === 'command' ? 'command' : 'request'
  if (run.agent_id && run.cwd)
    await startRun(deps, turn, kind, run.request, { agentId: run.agent_id, cwd: run.cwd }, run.forwarded)
  else await startOrAsk(deps, turn, kind, run.request, run.forwarded)
}

/** A run whose machine is away, on another one: asks where; the pick starts it there and cancels this one. */
async function elsewhere(deps: BotDeps, ctx: BotContext, runId: string): Promise<void> {
  const { turn } = ctx
  const [run] = await turn.tx.query<{ number: number; kind: string; request: string; forwarded: boolean }>(
    'SELECT number, kind, request, forwarded FROM run WHERE id = $1',
    [runId],
  )
  const places = allPlaces((await listMachines(turn.tx)).filter((machine) => machine.connected))
  if (!run || places.length === 0) return toast(deps, turn, 'No other machine is connected now.', true)
  await toast(deps, turn)
  const kind = run.kind === 'command' ? 'command' : 'request'
  await reply(deps, turn, `Where instead? #${run.number} is cancelled when you pick.`, {
    buttons: placeButtons(places, ({ agentId, cwd }) => ({
      do: 'start',
      kind,
      text: run.request,
      agentId,
      cwd,
      instead: runId,
      ...(run.forwarded ? { forwarded: true } : {}),
    })),
  })
}

async function sayFor(
  deps: BotDeps,
  ctx: BotContext,
  { text, forwarded }: Extract<ButtonAction, { do: 'say' }>,
): Promise<void> {
  await toast(deps, ctx.turn)
  await putAside(deps, ctx)
  await startOrAsk(deps, ctx.turn, 'request', text, forwarded === true)
}

async function detailsOf(
  deps: BotDeps,
  ctx: BotContext,
  { title, example }: Extract<ButtonAction, { do: 'details_of' }>,
): Promise<void> {
  await toast(deps, ctx.turn)
  await reply(
    deps,
    ctx.turn,
    `<b>${escapeHtml(title)}</b>: say it with the details, such as\n<code>${escapeHtml(example)}</code>`,
    { forceReply: clip(example, 60), silent: false },
  )
}

async function startHere(
  deps: BotDeps,
  ctx: BotContext,
  action: Extract<ButtonAction, { do: 'start' }>,
): Promise<void> {
  const refusal = action.instead ? await refusalOf(ctx.turn, 'tap elsewhere', action.instead) : null
  if (refusal) return toast(deps, ctx.turn, refusal, true)
  await toast(deps, ctx.turn)
  await putAside(deps, ctx)
  if (action.instead) await cancelRun(deps, ctx.turn.tx, action.instead, ctx.turn.person.id)
  await startRun(deps, ctx.turn, action.kind, action.text, action, action.forwarded === true)
}

async function useHere(
  deps: BotDeps,
  ctx: BotContext,
  action: Extract<ButtonAction, { do: 'use' }>,
): Promise<void> {
  await setPlace(ctx.turn.tx, asker(ctx.turn), action)
  await toast(deps, ctx.turn, 'Set. /use shows it.')
}

async function review(
  deps: BotDeps,
  ctx: BotContext,
  action: Extract<ButtonAction, { do: 'review' }>,
): Promise<void> {
  const { turn } = ctx
  const done = await reviewTask(deps, turn.tx, action, action.verdict, turn.person.id)
  await toast(
    deps,
    turn,
    done
      ? action.verdict === 'again'
        ? 'It runs again.'
        : 'Skipped.'
      : 'This was settled already, or its machine was revoked. Nothing changed.',
  )
}

async function addMachine(deps: BotDeps, ctx: BotContext): Promise<void> {
  const { turn } = ctx
  const { minutes, join, run, hint } = await inviteMachine(turn.tx, deps.gatewayUrl, turn.person.id)
  await toast(deps, turn)
  const lines = [
    `On the new machine, in a checkout there, within ${minutes} minutes:`,
    `<code>${join}</code>`,
    `The code works once. Then, to connect: <code>${run}</code>`,
    ...(hint ? [hint] : []),
  ]
  await reply(deps, turn, lines.join('\n'))
}
