import type { Env } from '../core/config/settings.ts'

/** `skynet agent` and `skynet agent join`: nothing of the control plane is loaded. */
export async function agentCommand(env: Env, argv: readonly string[]): Promise<void> {
  const { main } = await import('../agent/main.ts')
  await main(env, argv)
}
