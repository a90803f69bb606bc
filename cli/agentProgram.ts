import type { Command } from 'commander'
import type { Env } from '../core/config/settings.ts'

/** `skynet agent ...` */
export function addAgent(program: Command, env: Env): void {
  const agent = program
    .command('agent')
    .description('only the agent of this machine: executes what was allowed')
    .addHelpText('after', '\nWorks in SKYNET_AGENT_ROOTS and nowhere else. Join first, once.')
    .action(async () => (await import('./agentCommand.ts')).agentCommand(env, []))
  agent
    .command('join')
    .description('enrols this machine with a one-time code')
    .argument('<url>', "the gateway's address, such as http://192.168.1.10:8766")
    .argument('<code>', 'the code that /agents in the chat or `skynet agent invite` gave')
    .action(async (url: string, code: string) =>
      (await import('./agentCommand.ts')).agentCommand(env, ['join', url, code]),
    )
  const secret = agent
    .command('secret')
    .description('secrets of this machine, which tasks are given by name: set, list, remove')
    .addHelpText('after', '\nThe value is asked for, or comes over standard input; never as an argument.')
  secret
    .command('set')
    .description('keeps a secret, in the place of the one of that name')
    .argument('<name>', 'such as DEPLOY_TOKEN: the variable that the task finds it in')
    .action(async (name: string) =>
      (await import('./agentCommand.ts')).agentCommand(env, ['secret', 'set', name]),
    )
  secret
    .command('list')
    .description('the names that are kept')
    .action(async () => (await import('./agentCommand.ts')).agentCommand(env, ['secret', 'list']))
  secret
    .command('remove')
    .description('forgets a secret')
    .argument('<name>', 'as listed')
    .action(async (name: string) =>
      (await import('./agentCommand.ts')).agentCommand(env, ['secret', 'remove', name]),
    )
  agent
    .command('revoke')
    .description('a machine is not trusted any more: cut off, its tasks end or go to review')
    .argument('<name>', 'its name, as /agents shows it')
    .action(async (name: string) => (await import('./revokeAgentCommand.ts')).revokeAgentCommand(env, name))
  agent
    .command('invite')
    .description('prints the line with which another machine joins')
    .action(async () => (await import('./inviteCommand.ts')).inviteCommand(env))
}
