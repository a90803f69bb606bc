import { countSteps, helpedOf } from '../../core/recovery/countHelped.ts'
import type { RecoveryMode, Rung } from '../../core/recovery/ladder.ts'
import { allowedModes, recoveryMode, setRecoveryMode } from '../../core/recovery/recoveryMode.ts'
import type { Sql } from '../../core/storage/sql.ts'
import type { Button } from '../render/buttons.ts'
import { toast } from '../reply.ts'
import type { BotDeps, Turn } from '../turn.ts'

const modes: Record<RecoveryMode, { now: string; choose: string }> = {
  auto: { now: 'safe retries, and other ways by a model', choose: 'After a failure: other ways too' },
  retry: { now: 'safe retries', choose: 'After a failure: safe retries only' },
  off: { now: 'nothing by itself', choose: 'After a failure: nothing' },
}
const names: Record<Rung, string> = {
  retry: 'again',
  reduce: 'a smaller way',
  budget: 'more time or thought',
  decompose: 'smaller steps',
  ask: 'again by you',
}

/** What /settings says of recovery, and what it lets an owner choose. */
export async function recoverySettings(
  sql: Sql,
  deps: Pick<BotDeps, 'settings'>,
): Promise<{ lines: string[]; buttons: Button[][] }> {
  const mode = await recoveryMode(sql, deps.settings)
  const helped = helpedOf(await countSteps(sql)).map(
    ({ rung, helped: good, ended }) => `${names[rung]} ${good} of ${ended}`,
  )
  const { hasModel } = deps.settings.recovery
  return {
    lines: [
      `After a failure: ${modes[mode].now}${mode === 'auto' && !hasModel ? ' (none is set)' : ''}`,
      ...(helped.length > 0 ? [`It helped: ${helped.join(' · ')}`] : []),
    ],
    buttons: allowedModes(deps.settings)
      .filter((other) => other !== mode)
      .map((other) => [{ text: modes[other].choose, action: { do: 'recovery', mode: other } }]),
  }
}

/** An owner chooses what follows a failure by itself, for the whole installation. */
export async function chooseRecovery(deps: BotDeps, turn: Turn, mode: RecoveryMode): Promise<void> {
  const changed = await setRecoveryMode(turn.tx, mode, turn.person.id)
  await toast(
    deps,
    turn,
    changed ? `After a failure from now on: ${modes[mode].now}.` : 'It is so already.',
    changed,
  )
}
