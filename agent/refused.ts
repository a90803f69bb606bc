import { rmSync, writeFileSync } from 'node:fs'
import { type AgentConfig, refusedMark } from '../core/config/agent.ts'
import type { Identity } from './enrol.ts'

/** Marks the agent's directory while its credential is refused, so that `skynet doctor` there can say so. */
export function markRefused(config: AgentConfig, refused: boolean): void {
  try {
    if (refused) writeFileSync(refusedMark(config), `${new Date().toISOString()}\n`, { mode: 0o600 })
    else rmSync(refusedMark(config), { force: true })
  } catch {
    // A disk that takes nothing has its own lines; this one only helps the doctor.
  }
}

/** What an agent says that its gateway refuses: one line with what to do. Pure. */
export function refusedLine(
  config: Pick<AgentConfig, 'endWithStdin'>,
  { gatewayUrls: [gatewayUrl] }: Identity,
): string {
  const why = `the gateway at ${gatewayUrl} refuses this agent: its credential is wrong or revoked`
  if (config.endWithStdin)
    return `${why}. SKYNET lets it join again by itself; \`skynet doctor\` says if not.`
  return `${why}. Join again: \`npm run skynet -- agent invite\` where SKYNET runs gives a code, then here \`npm run skynet -- agent join ${gatewayUrl} CODE\`; this agent goes on by itself then.`
}
