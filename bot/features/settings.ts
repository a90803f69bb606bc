import { Composer } from 'grammy'
import { listStanding, type StandingLine } from '../../core/approvals/listStanding.ts'
import {
  actEverywhere,
  type EntitlementKind,
  entitlementKinds,
  entitlementsOf,
  setEntitlement,
  whereWords,
} from '../../core/people/entitlements.ts'
import { permits } from '../../core/people/methods.ts'
import { listPeople } from '../../core/people/people.ts'
import { isGroup } from '../../core/runs/shownIn.ts'
import type { BotContext } from '../context.ts'
import { say } from '../delivery/say.ts'
import type { Buttons } from '../render/buttons.ts'
import { bold, clip, code, escapeHtml, time } from '../render/html.ts'
import { reveal, unmask } from '../render/unmask.ts'
import { here, replace, toast } from '../reply.ts'
import type { BotDeps, Turn } from '../turn.ts'
import { recoverySettings } from './recovery.ts'

/** /settings: what is approved for a while, how approvals are decided here, and, for owners, who may act where. */
export function settings(deps: BotDeps): Composer<BotContext> {
  const composer = new Composer<BotContext>()
  composer.command('settings', (ctx) => showSettings(deps, ctx.turn))
  return composer
}

/** Buttons of a message at most. */
const MAX_LISTED = 8

export async function showSettings(deps: BotDeps, turn: Turn): Promise<void> {
  const { html, buttons } = await settingsCard(deps, turn)
  await say(turn.tx, deps.bus, here(turn, false), html, { buttons })
}

/** Puts the settings as they are now in place of those whose button is being handled. */
export async function refreshSettings(deps: BotDeps, turn: Turn): Promise<void> {
  const { html, buttons } = await settingsCard(deps, turn)
  await replace(deps, turn, html, buttons)
}

async function settingsCard(deps: BotDeps, turn: Turn): Promise<{ html: string; buttons: Buttons }> {
  const owner = permits(turn.person, 'tap people')
  const standing = await listStanding(turn.tx, owner ? null : turn.person.id, turn.chat.id)
  const { approvalQuorum, fourEyes, approvalTtlMs } = deps.settings
  const recovery = await recoverySettings(turn.tx, deps)
  const lines = [
    bold('Settings'),
    standing.length === 0
      ? `Nothing${isGroup({ chatId: turn.chat.id }) ? ' of this chat' : ''} is approved ahead.`
      : 'Approved ahead:',
    ...standing.slice(0, MAX_LISTED).map(standingLine),
    ...(standing.length > MAX_LISTED ? [`and ${standing.length - MAX_LISTED} more`] : []),
    '',
    `Approvals wait ${Math.round(approvalTtlMs / 3_600_000)} h`,
    `Critical risk takes ${approvalQuorum === 1 ? 'one person' : `${approvalQuorum} people`}`,
    `Who asked ${fourEyes ? 'cannot' : 'can'} approve it`,
    ...recovery.lines,
    `You are ${turn.person.role}; you ${act(whereWords(await entitlementsOf(turn.tx, turn.person.id)))}`,
  ]
  const buttons: Buttons = [
    ...standing
      .slice(0, MAX_LISTED)
      .map(({ id, label }, i): Buttons[number] => [
        { text: clip(`Revoke ${i + 1}: ${unmask(label)}`, 60), action: { do: 'unstand', standingId: id } },
      ]),
    [{ text: 'Skills', action: { do: 'skills' as const } }],
    ...(owner ? recovery.buttons : []),
    ...(owner ? [[{ text: 'People', action: { do: 'people' as const } }]] : []),
  ]
  return { html: lines.join('\n'), buttons }
}

const act = (words: string): string => words.replace(/^acts/, 'act')

const standingLine = (one: StandingLine, i: number): string =>
  [
    `${i + 1} ${one.kind === 'command' ? code(clip(unmask(one.label, 'command'), 120)) : escapeHtml(clip(unmask(one.label), 60))}`,
    `on ${escapeHtml(one.agentName)}${one.cwd ? `:${code(clip(unmask(one.cwd), 80))}` : ''} for ${escapeHtml(one.asker)} until ${time(one.expiresAt)}`,
    `by ${escapeHtml(one.givenBy)} · ${one.risk} · used ${one.uses} times`,
  ].join('\n')

/** Everybody with a role, to pick one. */
export async function showPeople(deps: BotDeps, turn: Turn): Promise<void> {
  const people = (await listPeople(turn.tx)).filter(({ role }) => role !== null)
  await toast(deps, turn)
  const buttons: Buttons = people
    .slice(0, 20)
    .map(({ id, name, role }) => [
      { text: clip(`${reveal(name)} · ${role}`, 60), action: { do: 'person', personId: id } },
    ])
  await say(turn.tx, deps.bus, here(turn, false), `${bold('People')}\nWhere may each act? Tap one.`, {
    buttons,
  })
}

/** What a button names in place of one chat or machine. */
const EVERYWHERE = 'everywhere'

/** Where one person may act, with a button for each machine and paired group. */
export async function showPerson(deps: BotDeps, turn: Turn, personId: string): Promise<void> {
  const person = (await listPeople(turn.tx)).find(({ id }) => id === personId)
  await toast(deps, turn)
  if (!person) return
  const own = await entitlementsOf(turn.tx, personId)
  const targets = await turn.tx.query<{ kind: EntitlementKind; target: string; name: string }>(
    `SELECT 'machine' AS kind, id::text AS target, name FROM agent WHERE revoked_at IS NULL AND NOT outside
     UNION ALL SELECT 'chat', id::text, title FROM chat WHERE id = $1 OR paired_at IS NOT NULL ORDER BY 1 DESC, 3 LIMIT 20`,
    [person.telegramId],
  )
  const buttons: Buttons = targets.map(({ kind, target, name }) => {
    const on = own.some((one) => one.kind === kind && one.target === target)
    const text = clip(`${on ? '✓ ' : ''}${kind === 'machine' ? '' : 'chat '}${reveal(name)}`, 60)
    return [{ text, action: { do: 'entitle', personId, kind, target, on: !on } }]
  })
  for (const kind of entitlementKinds)
    if (own.some((one) => one.kind === kind))
      buttons.push([
        {
          text: kind === 'machine' ? 'Everywhere: on all machines' : 'Everywhere: in all chats',
          action: { do: 'entitle', personId, kind, target: EVERYWHERE, on: true },
        },
      ])
  const lines = [
    `${bold(reveal(person.name))} · ${person.role ?? 'no role'} · ${escapeHtml(whereWords(own))}`,
    'With a tick on any machine: only on those. With a tick on any chat: only there. Without the last tick: nowhere, until you tap “Everywhere”. Looking is not limited.',
  ]
  await say(turn.tx, deps.bus, here(turn, false), lines.join('\n'), { buttons })
}

/** Ticks a machine or a chat, takes the tick away, or every restriction of a kind, and shows how it stands. */
export async function entitle(
  deps: BotDeps,
  turn: Turn,
  change: { personId: string; kind: EntitlementKind; target: string; on: boolean },
): Promise<void> {
  if (change.target === EVERYWHERE) await actEverywhere(turn.tx, change.personId, change.kind, turn.person.id)
  else await setEntitlement(turn.tx, change.personId, change, turn.person.id)
  await showPerson(deps, turn, change.personId)
}
