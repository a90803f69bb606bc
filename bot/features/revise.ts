import { may } from '../../core/people/people.ts'
import { revisePlan } from '../../core/planning/revisePlan.ts'
import { viewRun } from '../../core/runs/viewRun.ts'
import { say } from '../delivery/say.ts'
import type { Buttons } from '../render/buttons.ts'
import { clip } from '../render/html.ts'
import { here, toast } from '../reply.ts'
import type { BotDeps, Turn } from '../turn.ts'

async function pendingApproval(turn: Turn, approvalId: string) {
  const [row] = await turn.tx.query<{ run_id: string }>(
    "SELECT run_id FROM approval WHERE id = $1 AND status = 'pending'",
    [approvalId],
  )
  return row ? viewRun(turn.tx, row.run_id) : null
}

/** `Revise`: shows which steps can be left out. */
export async function revise(deps: BotDeps, turn: Turn, approvalId: string): Promise<void> {
  const run = await pendingApproval(turn, approvalId)
  if (!run) return toast(deps, turn, 'This approval is no longer pending. Nothing changed.')
  if (!may(turn.person, 'start')) return toast(deps, turn, 'Your role lets you look, not change plans.')
  await toast(deps, turn)
  const drops: Buttons =
    run.tasks.length > 1
      ? run.tasks
          .slice(0, 12)
          .map((t) => [
            {
              text: `Drop step ${t.key}: ${clip(t.title, 30)}`,
              action: { do: 'drop', approvalId, taskKey: t.key },
            },
          ])
      : []
  const hint =
    run.tasks.length > 1
      ? 'Leave a step out (what depends on it goes too):'
      : 'A plan of one step cannot lose it.'
  await say(
    turn.tx,
    deps.bus,
    here(turn, false),
    `${hint}\nTo change more, deny it and ask again in other words.`,
    { buttons: drops },
  )
}

/** Leaves a step out: a new version of the plan, judged and asked about anew; the old card says so. */
export async function dropStep(deps: BotDeps, turn: Turn, approvalId: string, key: string): Promise<void> {
  const run = await pendingApproval(turn, approvalId)
  if (!run) return toast(deps, turn, 'This approval is no longer pending. Nothing changed.')
  if (!may(turn.person, 'start')) return toast(deps, turn, 'Your role lets you look, not change plans.')
  const done = await revisePlan(deps, turn.tx, run.id, { drop: key })
  await toast(
    deps,
    turn,
    done === 'revised'
      ? `Step ${key} is out; the new plan is below.`
      : 'That would leave nothing to do. Nothing changed.',
  )
}
