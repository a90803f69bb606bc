import { Composer } from 'grammy'
import { type Decided, type Decision, decideApproval } from '../../core/approvals/decideApproval.ts'
import { may } from '../../core/people/people.ts'
import { viewRun } from '../../core/runs/viewRun.ts'
import type { BotContext } from '../context.ts'
import { sayDocument } from '../delivery/say.ts'
import { planText } from '../render/approvalCard.ts'
import { here, reply, toast } from '../reply.ts'
import type { BotDeps, Turn } from '../turn.ts'

/** /approve K7 and /deny K7: what the buttons do, by code. */
export function approvals(deps: BotDeps): Composer<BotContext> {
  const composer = new Composer<BotContext>()
  for (const [name, decision] of [
    ['approve', 'approved'],
    ['deny', 'denied'],
  ] as const) {
    composer.command(name, async (ctx) => {
      const code = String(ctx.match).trim().toUpperCase()
      const [row] = await ctx.turn.tx.query<{ id: string; plan_hash: string }>(
        'SELECT id, plan_hash FROM approval WHERE code = $1',
        [code],
      )
      if (!row)
        return reply(
          deps,
          ctx.turn,
          `There is no approval <code>${code.slice(0, 10).replace(/[^A-Z0-9]/g, '')}</code>. Use the code on the card, such as <code>/${name} K7</code>.`,
        )
      await reply(
        deps,
        ctx.turn,
        await decide(deps, ctx.turn, { approvalId: row.id, planHash: row.plan_hash, decision }),
      )
    })
  }
  return composer
}

/** Decides and says, in one line, what became of it. */
export async function decide(
  deps: BotDeps,
  turn: Turn,
  answer: { approvalId: string; planHash: string; decision: Decision },
): Promise<string> {
  if (!may(turn.person, 'decide')) return 'You may not decide this: ask an approver or an owner.'
  const done = await decideApproval(deps, turn.tx, { ...answer, personId: turn.person.id })
  return decidedLine(done)
}

function decidedLine(done: Decided): string {
  switch (done.kind) {
    case 'decided':
      return done.status === 'approved' ? 'Approved. It starts now.' : 'Denied. Nothing runs.'
    case 'counted':
      return `Counted: ${done.have} of ${done.need} have approved.`
    case 'already':
      return done.status === 'superseded'
        ? 'This plan is no longer asked about. Nothing changed.'
        : `Already ${done.status}${done.by ? ` by ${done.by}` : ''}${done.at ? ` at ${done.at.toISOString().slice(11, 16)} UTC` : ''}. Nothing changed.`
    case 'expired':
      return 'This approval has expired. Nothing changed.'
    case 'other_plan':
      return 'The plan has changed since this card. Nothing changed; answer the newest one.'
    case 'unknown':
      return 'This approval is gone. Nothing changed.'
  }
}

/** The first tap on a high risk turns `Approve` into `Yes, on laptop`; `Back` turns it back. */
export async function arm(deps: BotDeps, turn: Turn, approvalId: string, armed: boolean): Promise<void> {
  if (!may(turn.person, 'decide'))
    return toast(deps, turn, 'You may not decide this: ask an approver or an owner.', true)
  const rows = await turn.tx.query<{ run_id: string }>(
    "UPDATE card SET armed = $2 WHERE approval_id = $1 AND state = 'live' RETURNING run_id",
    [approvalId, armed],
  )
  await toast(deps, turn, armed && rows.length > 0 ? 'High risk: tap once more to approve.' : '')
  const runId = rows[0]?.run_id
  if (runId) turn.tx.afterCommit(() => deps.bus.publish('run.changed', { runId }))
}

/** The whole plan as a document: every command in full, rule, reason, hash. */
export async function details(deps: BotDeps, turn: Turn, approvalId: string): Promise<void> {
  const [row] = await turn.tx.query<{ run_id: string }>('SELECT run_id FROM approval WHERE id = $1', [
    approvalId,
  ])
  const run = row ? await viewRun(turn.tx, row.run_id) : null
  const approval = run?.approvals.find((a) => a.id === approvalId)
  if (!run || !approval) return toast(deps, turn, 'This approval is gone.')
  await toast(deps, turn)
  await sayDocument(turn.tx, deps.bus, here(turn, false), {
    name: `plan-${approval.code}.txt`,
    text: planText(run, approval),
  })
}
