import type { Command } from 'commander'
import type { Env } from '../core/config/settings.ts'

const scopeHelp = 'read, operate, gateway, agent or admin; repeat it for more'

/** `skynet people ...` */
export function addPeople(program: Command, env: Env): void {
  const people = program.command('people').description('who may use the bot, and as what')
  const load = () => import('./peopleCommands.ts')
  people
    .command('list')
    .description('everybody the bot has met, with id and role')
    .action(async () => (await load()).listPeopleCommand(env))
  people
    .command('role')
    .description('gives a role: viewer (looks), operator (starts), approver (decides), owner (manages)')
    .argument('<id>', 'the Telegram id that `skynet people list` shows')
    .argument('<role>', 'viewer, operator, approver or owner')
    .action(async (id: string, role: string) => (await load()).setRoleCommand(env, id, role))
  people
    .command('revoke')
    .description('takes every right away, at once')
    .argument('<id>', 'the Telegram id that `skynet people list` shows')
    .action(async (id: string) => (await load()).revokeCommand(env, id))
  people
    .command('entitle')
    .description('names where a person may act; who has no such entry may act everywhere')
    .argument('<id>', 'the Telegram id that `skynet people list` shows')
    .option('--chat <id...>', 'the id of a chat, such as -1001234')
    .option('--machine <name...>', 'the name of a machine')
    .option('--remove', 'takes these entries away again; without any left the person may act nowhere')
    .option('--everywhere <kind...>', 'chat or machine: takes every restriction of that kind away')
    .action(async (id: string, options: Parameters<Awaited<ReturnType<typeof load>>['entitleCommand']>[2]) =>
      (await load()).entitleCommand(env, id, options),
    )
  people
    .command('pair')
    .description('prints a one-time code; `/pair CODE` makes its sender an owner')
    .action(async () => (await load()).pairCommand(env))
}

/** `skynet token ...` */
export function addTokens(program: Command, env: Env): void {
  const token = program.command('token').description('bearer tokens of the REST API')
  const load = () => import('./tokenCommands.ts')
  token
    .command('new')
    .description('prints a new token, this once; only its hash is kept')
    .requiredOption('--name <name>', 'what it is for; it is revoked by this name')
    .requiredOption('--scope <scope...>', scopeHelp)
    .option('--person <id>', 'whose it is: it then may what this person may, and no more')
    .action(async (options: { name: string; scope: string[]; person?: string }) =>
      (await load()).newTokenCommand(env, options.name, options.scope, options.person ?? null),
    )
  token
    .command('list')
    .description('names and scopes')
    .action(async () => (await load()).listTokensCommand(env))
  token
    .command('revoke')
    .description('a token stops working within 5 s')
    .argument('<name>', 'its name or id, as `skynet token list` shows them')
    .action(async (name: string) => (await load()).revokeTokenCommand(env, name))
}

/** `skynet keys ...` */
export function addKeys(program: Command, env: Env): void {
  program
    .command('keys')
    .description('the key that signs grants')
    .command('rotate')
    .description('a new one, signed by the one before: agents follow by themselves')
    .option(
      '--overlap <duration>',
      'how long agents still take the old one, once they have heard of the new one',
      '24h',
    )
    .action(async (options: { overlap: string }) =>
      (await import('./keysCommand.ts')).rotateKeysCommand(env, options.overlap),
    )
}

/** `skynet standing ...` */
export function addStanding(program: Command, env: Env): void {
  const standing = program.command('standing').description('what is approved ahead, for a while')
  const load = () => import('./standingCommands.ts')
  standing
    .command('list')
    .description('what goes on without asking, for whom, where and until when')
    .action(async () => (await load()).listStandingCommand(env))
  standing
    .command('revoke')
    .description('ends one at once')
    .argument('<id>', 'as `skynet standing list` shows it; `all` ends them all')
    .action(async (id: string) => (await load()).revokeStandingCommand(env, id))
}
