import { access } from 'node:fs/promises'
import { join } from 'node:path'
import { type AgentConfig, refusedMark } from '../../core/config/agent.ts'
import type { Sql } from '../../core/storage/sql.ts'
import type { AllSettings } from '../checkSettings.ts'
import { readEnrolment, standing } from '../ownAgent.ts'
import { type Finding, ok, wrong } from './finding.ts'

const TIMEOUT_MS = 3000

const isThere = (path: string): Promise<boolean> =>
  access(path).then(
    () => true,
    () => false,
  )

/** Whether this is a machine that only works for a SKYNET elsewhere: its agent has joined, and nothing else was ever started. */
export async function isAgentOnly({ control, agent }: AllSettings): Promise<boolean> {
  if (control.database.kind === 'external' || (await isThere(join(control.dataDir, 'secrets.json'))))
    return false
  return (await readEnrolment(agent)) !== null
}

/** On such a machine: its gateway answers, and takes its agent. */
export async function checkJoined(agent: AgentConfig): Promise<Finding[]> {
  const kept = await readEnrolment(agent)
  const url = agent.gatewayUrls[0] ?? kept?.gateway_url ?? ''
  const answer = await fetch(`${url}/health`, { signal: AbortSignal.timeout(TIMEOUT_MS) }).catch(() => null)
  const gateway = answer?.ok
    ? ok('gateway', `answers at ${url}`)
    : wrong(
        'gateway',
        `does not answer at ${url}`,
        'Check the network, and that SKYNET runs there with SKYNET_GATEWAY_HOST set.',
      )
  return [gateway, await judgeMark(agent, url)]
}

async function judgeMark(agent: AgentConfig, url: string): Promise<Finding> {
  if (!(await isThere(refusedMark(agent))))
    return ok('agent', 'has joined; `npm run skynet -- agent` runs it')
  return wrong(
    'agent',
    'refused: join again. Its gateway does not take its credential (any more)',
    `\`npm run skynet -- agent invite\` where SKYNET runs gives a code; then here \`npm run skynet -- agent join ${url} CODE\`.`,
  )
}

/** The ledger takes the agent of the control plane's own machine. Only what is wrong is told. */
export async function checkOwnAgent(db: Sql, agent: AgentConfig): Promise<Finding[]> {
  const kept = await readEnrolment(agent)
  const taken = kept ? await standing(db, kept) : 'taken'
  if (taken === 'taken') return []
  const why = taken === 'revoked' ? 'it was revoked' : 'the ledger does not take its credential'
  const byItself = taken === 'revoked' ? '' : ' `npm start` does it by itself.'
  return [
    wrong(
      'agent',
      `refused: join again. This machine's agent ${agent.name} cannot connect: ${why}`,
      `\`npm run skynet -- agent invite\`, then the line that it prints, here.${byItself}`,
    ),
  ]
}
