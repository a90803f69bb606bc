import { parseAgentConfig } from '../core/config/agent.ts'
import { createLogger, messageOf } from '../core/config/logger.ts'
import { secretSettings } from '../core/config/secretSettings.ts'
import { ConfigError, type Env } from '../core/config/settings.ts'
import { joinAgent } from './enrol.ts'
import { endOnUncaught, runUntilAsked } from './runUntilAsked.ts'
import { secretCommand } from './secretCommand.ts'

export { type RunningAgent, startAgent } from './startAgent.ts'
export { joinAgent }

/**
 * The agent as a process: `join URL CODE` enrols, `secret ...` keeps secrets for its tasks, no arguments run it until SIGTERM, SIGINT, or (with
 * SKYNET_PARENT_STDIN=1) the end of its standard input.
 */
export async function main(
  env: Env = process.env,
  argv: readonly string[] = process.argv.slice(2),
): Promise<void> {
  const config = parseAgentConfig(env)
  const [command, url, code] = argv
  if (command === 'join') {
    if (!url || !code) throw new ConfigError('usage: skynet agent join URL CODE')
    return console.log(joinedLine(config.name, await joinAgent(config, url, code)))
  }
  if (command === 'secret') return console.log(await secretCommand(config, argv.slice(1)))
  const log = createLogger('agent', config.logLevel, [config.credential ?? '', ...secretSettings(env)])
  endOnUncaught(log)
  await runUntilAsked({ config, log, env })
}

/** What `join` says: the name that the agent has from now on. Pure. */
export function joinedLine(wanted: string, { agentId, name }: { agentId: string; name: string }): string {
  const what =
    name === wanted
      ? `${name} joined (${agentId}).`
      : `${wanted} joined as ${name} (${agentId}): the name was taken; SKYNET_AGENT_NAME chooses another.`
  return `${what} Start it with: npm run skynet -- agent`
}

if (import.meta.main) {
  main().catch((error) => {
    console.error(messageOf(error))
    process.exit(1)
  })
}
