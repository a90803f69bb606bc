import { startBot } from '../../bot/main.ts'
import { startWorkers } from '../../workers/main.ts'
import { type ControlOptions, openTestControl } from './control.ts'

/*
 * Workers, or a bot, as a process of its own that a test can kill: what it runs stands in PART (see childProcess.ts).
 * It says `ready` and ends when its standard input does.
 */

export type Part = { control: ControlOptions; bot?: { apiRoot: string; ownerIds: number[] } }

const part = JSON.parse(process.env.PART ?? '{}') as Part
const control = await openTestControl(part.control)
if (part.bot) {
  const { apiRoot, ownerIds } = part.bot
  const deps = { ...control.deps, ownerIds, redact: control.redact, gatewayUrl: 'http://127.0.0.1:8766' }
  const bot = startBot(deps, { kind: 'polling', token: control.secrets.botToken, apiRoot }, { leaseMs: 1000 })
  while (!bot.ready()) await new Promise((resolve) => setTimeout(resolve, 5))
} else startWorkers(control.deps, control.queue)
process.stdin.on('end', () => process.exit(0)).resume()
process.stdout.write('ready\n')
