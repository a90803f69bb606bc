import type { Env } from '../core/config/settings.ts'
import { warnOfStrangeSettings } from './strangeSettings.ts'

/** `skynet agent` and `skynet agent join`: nothing of the control plane is loaded. */
export async function agentCommand(env: Env, argv: readonly string[]): Promise<void> {
  if (argv.length === 0) warnOfStrangeSettings(env)
  const { main } = await import('../agent/main.ts')
  await main(env, argv)
}
