import { allPlaces } from '../../core/fleet/choosePlace.ts'
import { listMachines } from '../../core/fleet/machineFacts.ts'
import { askRevision } from '../../core/planning/askRevision.ts'
import { droppableSteps } from '../../core/planning/dropStep.ts'
import { type Change, revisePlan } from '../../core/planning/revisePlan.ts'
import { type RunView, viewRun } from '../../core/runs/viewRun.ts'
import type { BotContext } from '../context.ts'
import { putAside } from '../conversations/leave.ts'
import { say } from '../delivery/say.ts'
import { refusalOf } from '../middleware/permitted.ts'
import type { Buttons } from '../render/buttons.ts'
import { clip } from '../render/html.ts'
import { unmask } from '../render/unmask.ts'
import { here, replace, toast } from '../reply.ts'
import { type BotDeps, isForwarded, type Turn } from '../turn.ts'

const TOO_LATE = 'This approval is no longer pending. Nothing changed.'

/** The run of an approval that is still pending; else says so, for good where `chooser` was tapped and not its card. */
async function pendingRun(
  deps: BotDeps,
  turn: Turn,
  approvalId: string,
  from: 'card' | 'chooser',
): Promise<RunView | null> {
  const [row] = await turn.tx.query<{ run_id: string }>(
    "SELECT run_id FROM approval WHERE id = $1 AND status = 'pending'",
    [approvalId],
  )
  const run = row ? await viewRun(turn.tx, row.run_id) : null
  if (!run) await toast(deps, turn, TOO_LATE)
  if (!run && from === 'chooser') await replace(deps, turn, TOO_LATE)
  return run
}

/** `Revise`: what can be changed: leave a step out, rewrite a command, work elsewhere. */
export async function revise(deps: BotDeps, turn: Turn, approvalId: string): Promise<void> {
  const run = await pendingRun(deps, turn, approvalId, 'card')
  if (!run) return
  await toast(deps, turn)
  const steps = run.tasks.slice(0, 8)
  const droppable = droppableSteps(run.tasks)
  const drops: Buttons = steps
    .filter((t) => droppable.includes(t.key))
    .map((t) => [
      {
        text: `Drop step ${t.key}: ${clip(unmask(t.title), 28)}`,
        action: { do: 'drop', approvalId, taskKey: t.key },
      },
    ])
  const edits: Buttons = steps
    .filter((t) => t.action === 'shell')
    .map((t) => [
      {
        text: `Edit command ${t.key}: ${clip(unmask(String(t.spec.params.command), 'command'), 26)}`,
        action: { do: 'edit', approvalId, taskKey: t.key },
      },
    ])
  const places = await otherPlaces(turn, run)
  const moves: Buttons = places.slice(0, 5).map((place) => [
    {
      text: `Other place: ${unmask(place.label)}`,
      action: { do: 'move', approvalId, agentId: place.agentId, cwd: place.cwd },
    },
  ])
  const words: Buttons = deps.model
    ? [[{ text: 'Say it', style: 'primary', action: { do: 'say_change', approvalId } }]]
    : []
  const buttons = [...words, ...drops, ...edits, ...moves]
  const text =
    buttons.length > 0
      ? `What should change in #${run.number}?`
      : 'There is nothing to change here: deny it and ask again in other words.'
  await say(turn.tx, deps.bus, here(turn, false), text, { buttons })
}

async function otherPlaces(turn: Turn, run: RunView) {
  const first = run.tasks[0]
  return allPlaces(await listMachines(turn.tx)).filter(
    (place) => place.agentId !== first?.agentId || place.cwd !== first.cwd,
  )
}

/** Leaves a step out. */
export async function dropStep(deps: BotDeps, turn: Turn, approvalId: string, key: string): Promise<void> {
  const run = await pendingRun(deps, turn, approvalId, 'chooser')
  if (run) await choose(deps, turn, run.id, { kind: 'drop', key })
}

/** Moves the steps of the run's place to another one. */
export async function moveSteps(
  deps: BotDeps,
  turn: Turn,
  approvalId: string,
  to: { agentId: string; cwd: string },
): Promise<void> {
  const run = await pendingRun(deps, turn, approvalId, 'chooser')
  const first = run?.tasks[0]
  if (!run || !first) return
  const machine = (await listMachines(turn.tx)).find((m) => m.agentId === to.agentId)
  const place = (await otherPlaces(turn, run)).find((p) => p.agentId === to.agentId && p.cwd === to.cwd)
  if (!machine || !place) return toast(deps, turn, 'That place is gone. Nothing changed.')
  const target = { ...to, machineId: machine.facts.machine_id, label: place.label }
  const from = { agentId: first.agentId, cwd: first.cwd }
  await choose(deps, turn, run.id, { kind: 'move', from, to: target })
}

/** `Edit command`: a conversation asks for the new one. */
export async function editStep(
  deps: BotDeps,
  ctx: BotContext,
  approvalId: string,
  key: string,
): Promise<void> {
  const run = await pendingRun(deps, ctx.turn, approvalId, 'chooser')
  if (!run) return
  await toast(deps, ctx.turn)
  const task = run.tasks.find((t) => t.key === key)
  await putAside(deps, ctx, 'editCommand')
  await ctx.conversation.enter('editCommand', {
    approvalId,
    key,
    command: String(task?.spec.params.command ?? ''),
  })
}

/** `Say it`: a conversation asks for a sentence. */
export async function askChange(deps: BotDeps, ctx: BotContext, approvalId: string): Promise<void> {
  const run = await pendingRun(deps, ctx.turn, approvalId, 'chooser')
  if (!run) return
  if (!deps.model) return toast(deps, ctx.turn, 'That needs a language model, and none is set now.', true)
  await toast(deps, ctx.turn)
  await putAside(deps, ctx, 'sayChange')
  await ctx.conversation.enter('sayChange', { approvalId, number: run.number })
}

/** Has the plan changed as these words say, in the turn that brought them. Returns what to say. */
export async function changeInWords(
  deps: BotDeps,
  turn: Turn,
  approvalId: string,
  text: string,
): Promise<string> {
  const [row] = await turn.tx.query<{ run_id: string }>(
    "SELECT run_id FROM approval WHERE id = $1 AND status = 'pending'",
    [approvalId],
  )
  if (!row) return TOO_LATE
  const refusal = await refusalOf(turn, 'tap say_change', row.run_id)
  if (refusal) return refusal
  const done = await askRevision(deps, turn.tx, row.run_id, {
    ...{ text, by: turn.person.id, forwarded: isForwarded(turn) },
  })
  if (done === 'not_entitled') return 'You may not act on the machine of that plan. Nothing changed.'
  return done === 'asked' ? 'Thinking about it; the new plan comes below.' : TOO_LATE
}

/** A new version with the rewritten command, in the turn that brought it. Returns what to say. */
export async function rewriteCommand(
  deps: BotDeps,
  turn: Turn,
  approvalId: string,
  key: string,
  command: string,
): Promise<string> {
  const [row] = await turn.tx.query<{ run_id: string }>(
    "SELECT run_id FROM approval WHERE id = $1 AND status = 'pending'",
    [approvalId],
  )
  if (!row) return TOO_LATE
  const refusal = await refusalOf(turn, 'tap edit', row.run_id)
  return (
    refusal ??
    apply(deps, turn, row.run_id, {
      ...{ kind: 'edit' as const, key, command, forwarded: isForwarded(turn) },
    })
  )
}

/** Makes the change that was tapped; once it is made, or too late, the chooser says so and has no buttons any more. */
async function choose(deps: BotDeps, turn: Turn, runId: string, change: Change): Promise<void> {
  const line = await apply(deps, turn, runId, change)
  await toast(deps, turn, line)
  if (line === CHANGED || line === TOO_LATE) await replace(deps, turn, line)
}

const CHANGED = 'Changed: the new plan is below.'

async function apply(deps: BotDeps, turn: Turn, runId: string, change: Change): Promise<string> {
  const done = await revisePlan(deps, turn.tx, runId, change, turn.person.id)
  if (done === 'empty') return 'That would leave nothing to do. Nothing changed.'
  if (done === 'not_entitled') return 'You may not act on the machine of that plan. Nothing changed.'
  return done === 'revised' ? CHANGED : TOO_LATE
}
