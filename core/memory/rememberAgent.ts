import type { Deps } from '../deps.ts'
import type { AgentFacts } from '../protocol/frames.ts'
import type { Sql } from '../storage/sql.ts'
import { storeMemory } from './storeMemory.ts'

const MAX_REPOSITORIES = 12

/** What a machine told of itself when it connected: one memory for each machine, always the newest. */
export async function rememberAgent(
  deps: Pick<Deps, 'redact'>,
  tx: Sql,
  agentId: string,
  at: Date,
): Promise<void> {
  const [agent] = await tx.query<{ name: string; facts: AgentFacts | null }>(
    'SELECT name, facts FROM agent WHERE id = $1 AND revoked_at IS NULL AND NOT outside',
    [agentId],
  )
  if (!agent?.facts) return
  await storeMemory(deps, tx, {
    kind: 'snapshot',
    like: [agentId],
    text: describeMachine(agent.name, agent.facts),
    // Names of directories and scripts are whatever a repository calls them.
    outside: true,
    succeeded: null,
    personId: null,
    chatId: null,
    agentId,
    cwd: null,
    runId: null,
    source: `agent:${agentId}`,
    at,
  })
}

/** A machine in words. Pure. */
export function describeMachine(name: string, facts: AgentFacts): string {
  const { platform, roots, repositories, capabilities, containment } = facts
  const shown = repositories.slice(0, MAX_REPOSITORIES).map(({ name: repository, path, test_tools }) => {
    const tests = test_tools.length > 0 ? `, tests by ${test_tools.join(', ')}` : ''
    return `${repository} (${path}${tests})`
  })
  return [
    `${name} is ${platform}, works in ${roots.join(', ')}, ${containment === 'bwrap' ? 'confined' : 'not confined'}.`,
    shown.length > 0 ? `Repositories: ${shown.join('; ')}.` : 'No repositories.',
    `It can: ${capabilities.join(', ')}.`,
  ].join('\n')
}
