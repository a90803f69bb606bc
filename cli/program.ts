import { Command, CommanderError, InvalidArgumentError, Option } from 'commander'
import type { Env } from '../core/config/settings.ts'
import manifest from '../package.json' with { type: 'json' }
import { addAgent } from './agentProgram.ts'
import { addPlaybooks, addSkills } from './guideProgram.ts'
import { loadEnv } from './loadEnv.ts'
import { explainError } from './reportError.ts'
import { addKeys, addPeople, addStanding, addTokens } from './rightsProgram.ts'

const queueKinds = ['redis', 'postgres']
/** Runs the command that was asked for. What it needs is loaded then and not before. */
export async function run(argv: readonly string[]): Promise<void> {
  const env = loadEnv(process.env)
  try {
    const program = buildProgram(env)
    refuseUnknownHelp(program, argv.slice(2))
    await program.parseAsync([...argv])
  } catch (error) {
    // commander has said itself what is wrong with the arguments
    if (error instanceof CommanderError) process.exit(error.exitCode === 0 ? 0 : 2)
    const { text, code } = explainError(error, env.SKYNET_LOG_LEVEL)
    console.error(text)
    process.exit(code)
  }
}

/** `skynet help NAME` of no command: commander would show the general help, as if nothing was wrong. */
function refuseUnknownHelp(program: Command, [word, name]: readonly string[]): void {
  const isKnown = (command: Command) => command.name() === name || command.aliases().includes(name ?? '')
  if (word !== 'help' || !name || name === 'help' || program.commands.some(isKnown)) return
  program.error(`error: unknown command '${name}'`, { exitCode: 2, code: 'commander.unknownCommand' })
}

/** All commands with their help. */
export function buildProgram(env: Env): Command {
  const program = new Command('skynet')
    .description('Hand work to your own machines from your phone, and stay in control of it.')
    .exitOverride()
    .version(manifest.version, '-V, --version', 'prints the version')
    .showHelpAfterError('(`skynet --help` shows the commands)')
    .configureHelp({ sortSubcommands: false })
    .addHelpText('after', examples)
  addProcesses(program, env)
  addChat(program, env)
  addAgent(program, env)
  addCare(program, env)
  addAudit(program, env)
  addPeople(program, env)
  addTokens(program, env)
  addStanding(program, env)
  addSkills(program, env)
  addPlaybooks(program, env)
  addKeys(program, env)
  return program
}

const examples = `
One machine, everything on it:
  npm start                         the same as \`skynet start\`, and sets itself up first

Another machine for the same SKYNET:
  skynet agent invite               here: prints the line for it
  skynet agent join URL CODE        there, once; then: skynet agent

Each part on a machine of its own:  skynet bot | api | workers | gateway | agent
  They share DATABASE_URL (and REDIS_URL); a gateway needs SKYNET_API_URL and a token of scope gateway.

Settings come from the environment and from the file .env; .env.example lists them all.
\`skynet help COMMAND\` says more about a command. \`npm run skynet -- COMMAND\` runs one from a checkout.`

function addProcesses(program: Command, env: Env): void {
  const parts = { bot: false, api: false, workers: false }
  program
    .command('start')
    .description('everything for one machine: bot, API, workers, a gateway and an agent')
    .addHelpText('after', startHelp)
    .action(async () => (await import('./startCommand.ts')).startCommand(env))
  program
    .command('bot')
    .description('only the bot (with the chat page where no TELEGRAM_BOT_TOKEN is set)')
    .action(async () => (await import('./runParts.ts')).runParts('bot', env, { ...parts, bot: true }))
  program
    .command('api')
    .description('only the REST API')
    .action(async () => (await import('./runParts.ts')).runParts('api', env, { ...parts, api: true }))
  program
    .command('workers')
    .description('only the workers: planning, dispatch, maintenance')
    .action(async () => (await import('./runParts.ts')).runParts('workers', env, { ...parts, workers: true }))
  program
    .command('gateway')
    .description('only a gateway: holds the connections of agents')
    .addHelpText('after', gatewayHelp)
    .action(async () => (await import('./gatewayCommand.ts')).gatewayCommand(env))
  program
    .command('playground')
    .description('bot, API and workers with the chat page, even where a bot token is set')
    .addHelpText('after', '\nWithout gateway and agent: add them by `skynet gateway` and `skynet agent`.')
    .action(async () => (await import('./runParts.ts')).runPlayground(env))
}

function addChat(program: Command, env: Env): void {
  program
    .command('chat')
    .description('prints a new one-time link of the chat page that runs')
    .action(async () => (await import('./chatCommand.ts')).chatCommand(env))
}

const startHelp = `
Without TELEGRAM_BOT_TOKEN it prints the link of a chat page on this machine; with it, it is on Telegram, and the
first start prints a code that makes you its owner.
The first SIGTERM or Ctrl+C ends everything in order (work of this machine gets 9 s), the second at once.`

const gatewayHelp = `
On the machine of the control plane it needs nothing. Elsewhere:
  SKYNET_API_URL            where the API answers, such as https://skynet.example
  SKYNET_GATEWAY_TOKEN      the same as the control plane's
  SKYNET_GATEWAY_API_TOKEN  of \`skynet token new --name gateway-2 --scope gateway\`
  SKYNET_GATEWAY_URL        where the control plane reaches this gateway`

function addCare(program: Command, env: Env): void {
  program
    .command('doctor')
    .description('checks settings, database, queue, Telegram, models, gateway, agents, clock and disk')
    .addHelpText(
      'after',
      '\nChanges nothing. Each failing line says how to mend it; the exit code is then 1.',
    )
    .action(async () => (await import('./doctor/doctor.ts')).doctorCommand(env))
  program
    .command('migrate')
    .description('brings the database up to date (every start does this by itself)')
    .addOption(
      new Option('--queue <backend>', 'put the queue there; stop every process first').choices(queueKinds),
    )
    .action(async (options: { queue?: 'redis' | 'postgres' }) =>
      (await import('./migrateCommand.ts')).migrateCommand(env, options.queue ?? null),
    )
  program
    .command('lockdown')
    .description('cancels everything that runs or waits and starts nothing more')
    .option('--lift', 'take requests again')
    .addHelpText('after', '\nWorks without Telegram, and while SKYNET runs or not.')
    .action(async (options: { lift?: true }) =>
      (await import('./lockdownCommand.ts')).lockdownCommand(env, options.lift === true),
    )
}

function addAudit(program: Command, env: Env): void {
  const audit = program
    .command('audit')
    .description('who did what: a chained record, and whether it is whole')
  const load = () => import('./auditCommands.ts')
  audit
    .command('verify')
    .description('finds rows that were changed, removed, moved or cut off; exit code 1 then')
    .option('--head <head...>', 'heads noted elsewhere: NUMBER:HASH, as `skynet audit head` printed them')
    .action(async (options: { head?: string[] }) =>
      (await load()).verifyAuditCommand(env, options.head ?? []),
    )
  audit
    .command('head')
    .description('prints where the record ends; note it elsewhere, and verify finds any later rewriting')
    .action(async () => (await load()).auditHeadCommand(env))
  audit
    .command('show')
    .description('the newest acts')
    .option('--limit <number>', 'how many', '50')
    .option('--json', 'one JSON object a line, with hashes')
    .action(async (options: { limit: string; json?: true }) =>
      (await load()).showAuditCommand(env, wholeNumberOf(options.limit), options.json === true),
    )
}

function wholeNumberOf(text: string): number {
  if (!/^[1-9]\d{0,5}$/.test(text)) throw new InvalidArgumentError('--limit takes a number from 1 to 999999')
  return Number(text)
}
