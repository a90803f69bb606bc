import { approveStanding, standingOffers } from '../../core/approvals/approveStanding.ts'
import { askAgain } from '../../core/approvals/askAgain.ts'
import { revokeStanding } from '../../core/approvals/listStanding.ts'
import type { StandingKind } from '../../core/approvals/standing.ts'
import { say } from '../delivery/say.ts'
import type { Buttons } from '../render/buttons.ts'
import { clip, code, escapeHtml, time } from '../render/html.ts'
import { unmask } from '../render/unmask.ts'
import { here, replace, toast } from '../reply.ts'
import type { BotDeps, Turn } from '../turn.ts'
import { decidedLine } from './approvals.ts'
import { refreshSettings } from './settings.ts'

type Bound = { approvalId: string; planHash: string }

/** `More…`: says what can be approved for longer than this once, to be tapped below. */
export async function offerStanding(
  deps: BotDeps,
  turn: Turn,
  { approvalId, planHash }: Bound,
): Promise<void> {
  const bound = { approvalId, planHash }
  const [row] = await turn.tx.query<{ number: number; code: string; asker: string | null }>(
    `SELECT r.number, a.code, p.name AS asker FROM approval a JOIN run r ON r.id = a.run_id LEFT JOIN person p ON p.id = r.person_id
     WHERE a.id = $1 AND a.status = 'pending'`,
    [bound.approvalId],
  )
  if (!row) return toast(deps, turn, 'This approval is no longer pending. Nothing changed.')
  const offers = await standingOffers(deps, turn.tx, bound.approvalId)
  if (offers.length === 0)
    return toast(
      deps,
      turn,
      'This can be approved once only: its risk is too high, or nobody asked for it.',
      true,
    )
  await toast(deps, turn)
  const machine = await agentName(turn, offers[0]?.machine ?? '')
  const buttons: Buttons = offers.map(({ kind, labels }) => [
    { text: offerText(kind, labels, machine), action: { do: 'stand', ...bound, kind } },
  ])
  const asker = escapeHtml(row.asker ?? 'this program')
  const lines = [
    `Approve <b>${row.code}</b> (#${row.number}) now, and from then on without asking when <b>${asker}</b> asks for the same:`,
    ...offers.flatMap(({ kind, labels }) => offerLines(kind, labels, machine)),
    'It is listed in /settings, where it can be revoked. What policy denies stays denied.',
  ]
  await say(turn.tx, deps.bus, here(turn, false), lines.join('\n'), { buttons })
}

const agentName = async (turn: Turn, agentId: string): Promise<string> =>
  (await turn.tx.query<{ name: string }>('SELECT name FROM agent WHERE id = $1', [agentId]))[0]?.name ?? 'it'

const offerText = (kind: StandingKind, labels: readonly string[], machine: string): string =>
  kind === 'command'
    ? `${labels.length === 1 ? 'This command' : `These ${labels.length} commands`} here, 1 h`
    : clip(`This playbook on ${machine}, 24 h`, 60)

const offerLines = (kind: StandingKind, labels: readonly string[], machine: string): string[] =>
  kind === 'command'
    ? labels
        .slice(0, 8)
        .map((label) => `· ${code(clip(unmask(label), 400))} in this directory, to the letter`)
    : [
        `· ${escapeHtml(clip(unmask(labels[0] ?? ''), 60))} on ${escapeHtml(machine)}, whatever its words, up to the risk shown`,
      ]

/** Approves for a while and says, in one line, what became of it. */
export async function stand(
  deps: BotDeps,
  turn: Turn,
  answer: Bound & { kind: StandingKind },
): Promise<string> {
  const offer = (await standingOffers(deps, turn.tx, answer.approvalId)).find(
    ({ kind }) => kind === answer.kind,
  )
  const done = await approveStanding(deps, turn.tx, { ...answer, personId: turn.person.id })
  if (done.kind !== 'stands') {
    const line =
      done.kind === 'cannot_stand' ? 'This can be approved once only. Nothing changed.' : decidedLine(done)
    // Somebody else may still choose where it is this person alone who may not.
    if (done.kind !== 'own_request' && done.kind !== 'outside') await replace(deps, turn, escapeHtml(line))
    return line
  }
  if (offer) await showChosen(deps, turn, answer.approvalId, offer, done.until)
  return 'Approved, and so for the same from now on. /settings lists and revokes it.'
}

/** The chooser says what was chosen, and has no buttons any more. */
async function showChosen(
  deps: BotDeps,
  turn: Turn,
  approvalId: string,
  { kind, labels, machine }: { kind: StandingKind; labels: readonly string[]; machine: string },
  until: Date,
): Promise<void> {
  const [row] = await turn.tx.query<{ code: string }>('SELECT code FROM approval WHERE id = $1', [approvalId])
  const name = await agentName(turn, machine)
  const lines = [
    `✓ <b>${row?.code ?? ''}</b> approved by ${escapeHtml(turn.person.name)}, and from then on: ${escapeHtml(offerText(kind, labels, name))}, until ${time(until)}`,
    ...offerLines(kind, labels, name),
    '/settings lists and revokes it.',
  ]
  await replace(deps, turn, lines.join('\n'))
}

/** Revokes a standing approval, by who gave it, whom it is for, and owners; the settings then show it no more. */
export async function unstand(deps: BotDeps, turn: Turn, standingId: string): Promise<string> {
  const own = turn.person.role === 'owner' ? null : turn.person.id
  const done = await revokeStanding(turn.tx, standingId, turn.person.id, own)
  if (done || turn.chat.kind === 'private') await refreshSettings(deps, turn)
  return done ? 'Revoked: it is asked about again.' : 'It is over already, or not yours to revoke.'
}

/** `Ask again` on an approval that has expired. */
export async function askOnceMore(deps: BotDeps, turn: Turn, approvalId: string): Promise<string> {
  const done = await askAgain(deps, turn.tx, approvalId, turn.person.id)
  switch (done.kind) {
    case 'asked':
      return `Asked again as ${done.code}, below.`
    case 'outdated':
      return done.message
    case 'not_expired':
      return 'It is not expired any more. Nothing changed.'
    case 'unknown':
      return 'This approval is gone. Nothing changed.'
  }
}
