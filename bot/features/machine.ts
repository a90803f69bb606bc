import { listMachines } from '../../core/fleet/machineFacts.ts'
import { revokeAgent } from '../../core/fleet/revokeAgent.ts'
import { permits } from '../../core/people/methods.ts'
import { say } from '../delivery/say.ts'
import { bold, escapeHtml, time } from '../render/html.ts'
import { here, replace, toast } from '../reply.ts'
import type { BotDeps, Turn } from '../turn.ts'

/** One machine of /agent_status, with what an owner may do about it. */
export async function showMachine(deps: BotDeps, turn: Turn, agentId: string): Promise<void> {
  const machine = (await listMachines(turn.tx)).find((one) => one.agentId === agentId)
  await toast(deps, turn, machine ? '' : 'That machine is gone.')
  if (!machine) return
  const since = machine.disconnectedAt ?? machine.lastSeenAt
  const lines = [
    bold(machine.name),
    machine.connected ? 'Worker Connected' : `offline${since ? ` since ${time(since)}` : ''}`,
    `${escapeHtml(machine.facts.platform)} · ${machine.facts.containment} · version ${escapeHtml(machine.facts.version)}`,
  ]
  const revoke = { do: 'revoke_machine' as const, agentId, sure: false }
  const buttons = permits(turn.person, 'tap revoke_machine')
    ? [[{ text: 'Revoke', style: 'danger' as const, action: revoke }]]
    : []
  await say(turn.tx, deps.bus, here(turn, false), lines.join('\n'), { buttons })
}

/** `Revoke`: the first tap says what it means, the second does it. */
export async function revokeMachine(
  deps: BotDeps,
  turn: Turn,
  { agentId, sure }: { agentId: string; sure: boolean },
): Promise<void> {
  if (!sure) return askWhetherSure(deps, turn, agentId)
  const done = await revokeAgent(deps, turn.tx, agentId, turn.person.id)
  if (done.kind !== 'revoked') {
    const line = 'It is revoked already, or gone. Nothing changed.'
    await toast(deps, turn, line)
    return replace(deps, turn, line)
  }
  await toast(deps, turn, `${done.name} is revoked.`)
  const lines = [
    `🔒 ${bold(done.name)} is revoked: it is cut off, and what it still reports is refused.`,
    done.working > 0
      ? `⚠️ ${done.working} ${done.working === 1 ? 'task' : 'tasks'} may go on running there: that cannot be stopped from here. What may have changed something waits for you in its run.`
      : 'Nothing of it was running.',
    'Joining again takes a new code.',
  ]
  await replace(deps, turn, lines.join('\n'))
}

async function askWhetherSure(deps: BotDeps, turn: Turn, agentId: string): Promise<void> {
  const machine = (await listMachines(turn.tx)).find((one) => one.agentId === agentId)
  await toast(deps, turn, machine ? '' : 'That machine is gone.')
  if (!machine) return
  const lines = [
    `Revoke ${bold(machine.name)}? Its connection is cut, its credential and late results are refused, and its tasks end or go to review.`,
    'Work that runs there now cannot be stopped from here: press Cancel on its run first, if you can.',
  ]
  const sure = { do: 'revoke_machine' as const, agentId, sure: true }
  const buttons = [[{ text: `Yes, revoke ${machine.name}`, style: 'danger' as const, action: sure }]]
  await say(turn.tx, deps.bus, here(turn, false), lines.join('\n'), { buttons })
}
