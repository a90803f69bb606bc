import { Composer } from 'grammy'
import { isRunEnd, runEnds } from '../../core/events/states.ts'
import { choosePlace } from '../../core/fleet/choosePlace.ts'
import { listMachines } from '../../core/fleet/machineFacts.ts'
import { isLockedDown } from '../../core/people/lockdown.ts'
import { judgeSpec } from '../../core/planning/judgePlan.ts'
import { activeRuns, pastRuns, type RunFilter, type RunLine } from '../../core/runs/listRuns.ts'
import { isGroup } from '../../core/runs/shownIn.ts'
import { readFleet } from '../cards/readFleet.ts'
import type { BotContext } from '../context.ts'
import { sayCard, sayDocument } from '../delivery/say.ts'
import { pickRun, runButtons } from '../pickRun.ts'
import { bold, clip, code, escapeHtml, time } from '../render/html.ts'
import { renderMachines } from '../render/machinesCard.ts'
import { maskWarnings, reveal, unmask } from '../render/unmask.ts'
import { LIFT, oneLine, placeCode } from '../render/words.ts'
import { here, reply } from '../reply.ts'
import { asker } from '../startRun.ts'
import type { BotDeps } from '../turn.ts'

/** /status, /runs, /logs, /policy, /agent_status, /agents: they change nothing. */
export function look(deps: BotDeps): Composer<BotContext> {
  const composer = new Composer<BotContext>()
  composer.command('status', (ctx) => status(deps, ctx))
  composer.command('runs', (ctx) => runs(deps, ctx))
  composer.command('logs', async (ctx) => {
    const runId = await pickRun(deps, ctx, 'logs', 'any')
    if (runId) await sendLog(deps, ctx, runId)
  })
  composer.command('policy', (ctx) => policy(deps, ctx))
  composer.command(['agent_status', 'agents'], (ctx) => machines(deps, ctx))
  return composer
}

/** What a lockdown means, wherever the state of things is shown. */
const LOCKED = `🔒 <b>Locked down</b>: nothing starts until ${LIFT}.`

export async function machines(deps: BotDeps, ctx: BotContext): Promise<void> {
  const shown = renderMachines(
    await readFleet(ctx.turn.tx, ctx.turn.chat.id),
    ctx.turn.person.role === 'owner',
  )
  const locked = (await isLockedDown(ctx.turn.tx)) ? `${LOCKED}\n` : ''
  await reply(deps, ctx.turn, locked + shown.html, { buttons: shown.buttons })
}

export async function sendLog(deps: BotDeps, ctx: BotContext, runId: string): Promise<void> {
  const [run] = await ctx.turn.tx.query<{ number: number }>('SELECT number FROM run WHERE id = $1', [runId])
  if (run)
    await sayDocument(ctx.turn.tx, deps.bus, here(ctx.turn, false), { name: `run-${run.number}.log`, runId })
}

async function status(deps: BotDeps, ctx: BotContext): Promise<void> {
  const { turn } = ctx
  if (/\d/.test(String(ctx.match))) {
    const runId = await pickRun(deps, ctx, 'card', 'any')
    if (runId) await postCard(deps, ctx, runId)
    return
  }
  const active = await activeRuns(turn.tx, null, turn.chat.id)
  const all = await listMachines(turn.tx)
  const there = all.filter((m) => m.connected).map((m) => m.name)
  const away = all.filter((m) => !m.connected).map((m) => m.name)
  const blocked = await turn.tx.query<{ title: string }>(
    'SELECT title FROM chat WHERE blocked_at IS NOT NULL AND $1::bigint >= 0',
    [turn.chat.id],
  )
  const lines = [
    ...((await isLockedDown(turn.tx)) ? [LOCKED] : []),
    bold(
      active.length === 0
        ? `Nothing is running${isGroup(asker(turn)) ? ' in this chat' : ''}`
        : `${active.length} under way`,
    ),
    ...active.map(runLine),
    `Machines: ${there.length > 0 ? escapeHtml(there.join(', ')) : 'none connected'}${away.length > 0 ? ` · away: ${escapeHtml(away.join(', '))}` : ''}`,
    ...blocked.map((chat) => `⚠️ Telegram refuses messages to ${escapeHtml(chat.title)}`),
  ]
  await reply(deps, turn, lines.join('\n'), { buttons: runButtons(active, 'card') })
}

/** Posts the card of a run again, at the bottom; the old one says where it went on. */
export async function postCard(deps: BotDeps, ctx: BotContext, runId: string): Promise<void> {
  const [run] = await ctx.turn.tx.query<{ status: string }>('SELECT status FROM run WHERE id = $1', [runId])
  await sayCard(ctx.turn.tx, deps.bus, here(ctx.turn, false), {
    kind: isRunEnd(run?.status ?? '') ? 'outcome' : 'run',
    runId,
    silent: true,
    key: `card:${runId}:u${ctx.update.update_id}`,
  })
}

const runLine = (run: RunLine): string =>
  `#${run.number} ${escapeHtml(run.status.replaceAll('_', ' '))} · ${escapeHtml(clip(reveal(oneLine(run.summary)), 60))}${run.agentName ? ` · ${escapeHtml(run.agentName)}` : ''}`

const ages = { m: 60_000, h: 3_600_000, d: 86_400_000 } as const

/** `ana failed 7d`: in any order. */
export function readFilter(text: string): RunFilter {
  const filter: RunFilter = {}
  for (const word of text.split(/\s+/).filter(Boolean)) {
    const age = /^(\d{1,4})([mhd])$/.exec(word)
    if (age) filter.sinceMs = Number(age[1]) * ages[age[2] as keyof typeof ages]
    else if ([...runEnds, 'running', 'planning', 'paused'].includes(word.toLowerCase()))
      filter.status = word.toLowerCase()
    else filter.name = word
  }
  return filter
}

async function runs(deps: BotDeps, ctx: BotContext): Promise<void> {
  const found = await pastRuns(ctx.turn.tx, readFilter(String(ctx.match)), ctx.turn.chat.id, 15)
  const lines = found.map(
    (run) =>
      `${runLine(run)} · ${time(run.createdAt)}${run.personName ? ` · ${escapeHtml(run.personName)}` : ''}`,
  )
  await reply(
    deps,
    ctx.turn,
    lines.length > 0
      ? [bold('Runs'), ...lines].join('\n')
      : 'No run fits. Try /runs, or <code>/runs failed 7d</code>.',
  )
}

/** What would happen with a command here, and why; nothing is done. */
async function policy(deps: BotDeps, ctx: BotContext): Promise<void> {
  const command = String(ctx.match).trim()
  if (!command) return reply(deps, ctx.turn, 'Write a command after it: <code>/policy rm -rf dist</code>')
  const chosen = await choosePlace(ctx.turn.tx, asker(ctx.turn), 'command', null)
  const place = chosen.kind === 'place' ? chosen.place : chosen.kind === 'pick' ? chosen.places[0] : undefined
  const machine = (await listMachines(ctx.turn.tx)).find((m) => m.agentId === place?.agentId)
  if (!place || !machine)
    return reply(deps, ctx.turn, 'No machine is enrolled yet, so there is no place to judge this for.')
  const spec = {
    action: 'shell' as const,
    params: { command },
    agent_id: place.agentId,
    machine_id: machine.facts.machine_id,
    cwd: place.cwd,
    required_files: [],
    timeout_s: 60,
    network: false,
  }
  const verdict = judgeSpec(spec, machine.facts, deps.policy, deps.settings.denyPaths)
  const word = { allow: '✅ would run at once', ask: '❓ would ask first', deny: '⛔ would be refused' }[
    verdict.verdict
  ]
  const shown = unmask(command, 'command')
  const parts =
    verdict.parts.length > 1
      ? verdict.parts
          .slice(0, 12)
          .map((p) => `${p.verdict} · ${code(clip(unmask(p.text, 'command'), 60))} · ${escapeHtml(p.rule)}`)
      : []
  await reply(
    deps,
    ctx.turn,
    [
      bold(word),
      code(clip(shown, 500)),
      ...maskWarnings(shown),
      `on ${placeCode(place.label)}`,
      `${verdict.risk} · rule ${code(verdict.rule)} · network ${verdict.network ? 'yes' : 'no'}`,
      escapeHtml(unmask(verdict.reason)),
      ...parts,
    ].join('\n'),
  )
}
