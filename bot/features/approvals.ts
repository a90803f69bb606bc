import { Composer } from 'grammy'
import { type Decided, type Decision, decideApproval } from '../../core/approvals/decideApproval.ts'
import { outsideLine } from '../../core/people/entitlements.ts'
import { readPlanFiles } from '../../core/planning/planFiles.ts'
import { isGroup, shownIn } from '../../core/runs/shownIn.ts'
import { viewRun } from '../../core/runs/viewRun.ts'
import type { BotContext } from '../context.ts'
import { say, sayDocument } from '../delivery/say.ts'
import { refusalOf } from '../middleware/permitted.ts'
import { clip, escapeHtml } from '../render/html.ts'
import { asMessage, planText } from '../render/planText.ts'
import { reveal } from '../render/unmask.ts'
import { oneLine } from '../render/words.ts'
import { here, reply, toast } from '../reply.ts'
import type { BotDeps, Turn } from '../turn.ts'

/** /approve K7 and /deny K7: what the buttons do, by code; alone: what waits. */
export function approvals(deps: BotDeps): Composer<BotContext> {
  const composer = new Composer<BotContext>()
  for (const name of ['approve', 'deny'] as const) {
    composer.command(name, async (ctx) => {
      const [code = '', word = ''] = String(ctx.match).trim().toUpperCase().split(/\s+/)
      await reply(deps, ctx.turn, await approveByCode(deps, ctx.turn, name, code, word === 'YES'))
    })
  }
  return composer
}

/** Approves or denies by code, as the commands do. `sure`: it was said twice. Returns what to say. */
export async function approveByCode(
  deps: BotDeps,
  turn: Turn,
  command: 'approve' | 'deny',
  code: string,
  sure: boolean,
): Promise<string> {
  const [row] = await turn.tx.query<{ id: string; plan_hash: string; run_id: string }>(
    `SELECT a.id, a.plan_hash, a.run_id FROM approval a JOIN run r ON r.id = a.run_id WHERE a.code = $1 AND ${shownIn('r', '$2')}`,
    [code, turn.chat.id],
  )
  const refusal = await refusalOf(turn, `/${command}`, row?.run_id ?? null)
  if (refusal) return refusal
  if (!row) return waiting(turn, command, code)
  const decision = command === 'approve' ? 'approved' : 'denied'
  return decide(deps, turn, { approvalId: row.id, planHash: row.plan_hash, decision }, { said: sure })
}

/** What waits for an answer, when a code is missing or unknown. */
export async function waiting(turn: Turn, command: string, code: string): Promise<string> {
  const rows = await turn.tx.query<{ code: string; number: number; what: string }>(
    `SELECT a.code, r.number, coalesce(r.summary, r.request) AS what FROM approval a JOIN run r ON r.id = a.run_id
     WHERE a.status = 'pending' AND ${shownIn('r', '$1')} ORDER BY a.created_at DESC LIMIT 5`,
    [turn.chat.id],
  )
  const here = isGroup({ chatId: turn.chat.id }) ? ' of this chat' : ''
  const unknown = code ? `There is no approval ${escapeHtml(clip(reveal(code), 10))}${here}. ` : ''
  if (rows.length === 0) return `${unknown}Nothing${here} waits for an answer.`
  const lines = rows.map(
    (row) =>
      `<code>/${command} ${row.code}</code> · #${row.number} ${escapeHtml(clip(reveal(oneLine(row.what)), 60))}`,
  )
  return [`${unknown}Waiting for an answer:`, ...lines].join('\n')
}

/** A second tap that comes sooner than this after the first was not meant as one. */
const SECOND_TAP_MS = 1000

/** Decides and says, in one line, what became of it. High risk wants it said twice, by tap or with `yes`. */
export async function decide(
  deps: BotDeps,
  turn: Turn,
  answer: { approvalId: string; planHash: string; decision: Decision },
  by: { said: boolean } | 'tap',
): Promise<string> {
  const missing = answer.decision === 'approved' ? await unconfirmed(turn, answer.approvalId, by) : null
  return missing ?? decidedLine(await decideApproval(deps, turn.tx, { ...answer, personId: turn.person.id }))
}

/** What is missing before a high risk counts as approved; null when nothing is. */
async function unconfirmed(
  turn: Turn,
  approvalId: string,
  by: { said: boolean } | 'tap',
): Promise<string | null> {
  const [row] = await turn.tx.query<{ code: string; risk: string; twice: boolean }>(
    `SELECT a.code, a.risk, EXISTS (SELECT 1 FROM card c WHERE c.approval_id = a.id AND c.chat_id = $3 AND c.armed_at < clock_timestamp() - $2 * interval '1 ms') AS twice
     FROM approval a WHERE a.id = $1 AND a.status = 'pending' AND a.risk IN ('high', 'critical')`,
    [approvalId, SECOND_TAP_MS, turn.chat.id],
  )
  if (!row) return null
  if (by === 'tap') return row.twice ? null : 'That was quick: read it, and tap once more.'
  return by.said
    ? null
    : `<b>${row.code}</b> is of ${row.risk} risk: read its card, then send <code>/approve ${row.code} yes</code>.`
}

/** How long ago, in words: a toast cannot show the reader's own clock. */
function ago(at: Date): string {
  const minutes = Math.round((Date.now() - at.getTime()) / 60_000)
  if (minutes < 1) return 'a moment ago'
  if (minutes < 120) return `${minutes} min ago`
  return minutes < 2880 ? `${Math.round(minutes / 60)} h ago` : `${Math.round(minutes / 1440)} days ago`
}

export function decidedLine(done: Decided): string {
  switch (done.kind) {
    case 'decided':
      return done.status === 'approved' ? 'Approved. It starts now.' : 'Denied. Nothing runs.'
    case 'counted':
      return `Counted: ${done.have} of ${done.need} have approved.`
    case 'already':
      return done.status === 'superseded'
        ? 'This plan is no longer asked about. Nothing changed.'
        : `Already ${done.status}${done.by ? ` by ${done.by}` : ''}${done.at ? ` ${ago(done.at)}` : ''}. Nothing changed.`
    case 'expired':
      return 'This approval has expired. Nothing changed.'
    case 'other_plan':
      return 'The plan has changed since this card. Nothing changed; answer the newest one.'
    case 'own_request':
      return 'You asked for this or changed it: somebody else has to approve it.'
    case 'outside':
      return outsideLine(done.outside)
    case 'unknown':
      return 'This approval is gone. Nothing changed.'
  }
}

/** The first tap on a high risk turns `Approve` into `Yes, on laptop`, in the chat it came from; `Back` turns it back. */
export async function arm(deps: BotDeps, turn: Turn, approvalId: string, armed: boolean): Promise<void> {
  const rows = await turn.tx.query<{ run_id: string }>(
    "UPDATE card SET armed_at = CASE WHEN $2 THEN coalesce(armed_at, clock_timestamp()) END WHERE approval_id = $1 AND chat_id = $3 AND state = 'live' RETURNING run_id",
    [approvalId, armed, turn.chat.id],
  )
  await toast(deps, turn, armed && rows.length > 0 ? 'High risk: tap once more to approve.' : '')
  const runId = rows[0]?.run_id
  if (runId) turn.tx.afterCommit(() => deps.bus.publish('run.changed', { runId }))
}

/** The whole plan, every command in full, rule, reason, hash: as a message where it is short, else as a document. */
export async function details(deps: BotDeps, turn: Turn, approvalId: string): Promise<void> {
  const [row] = await turn.tx.query<{ run_id: string }>('SELECT run_id FROM approval WHERE id = $1', [
    approvalId,
  ])
  const run = row ? await viewRun(turn.tx, row.run_id) : null
  const approval = run?.approvals.find((a) => a.id === approvalId)
  if (!run || !approval) return toast(deps, turn, 'This approval is gone.')
  await toast(deps, turn)
  const text = planText(run, approval, await readPlanFiles(turn.tx, run.id))
  const message = asMessage(text)
  const where = here(turn, false)
  if (message) return say(turn.tx, deps.bus, where, message)
  await sayDocument(turn.tx, deps.bus, where, { name: `plan-${approval.code}.txt`, text })
}
