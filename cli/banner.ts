import { userInfo } from 'node:os'
import type { Env } from '../core/config/settings.ts'
import type { Running } from './start.ts'

/** `ssh -L` for who started this over SSH and has the browser elsewhere; null for everybody else. Pure. */
export function tunnelLine(env: Env, port: number, user: string): string | null {
  const [, , host, sshPort] = (env.SSH_CONNECTION ?? '').split(' ')
  if (!host) return null
  const at = sshPort && sshPort !== '22' ? `-p ${sshPort} ` : ''
  return `ssh -L ${port}:127.0.0.1:${port} ${at}${user}@${host}`
}

type Facts = Pick<Running, 'urls' | 'pairing' | 'settings'> & {
  ready: string
  missing: readonly string[]
  botTrouble: string | null
}

/** What the start prints once everything answers (or why not all does). Pure. */
export function banner(facts: Facts, env: Env, user: string): string {
  const { urls, settings, ready, missing } = facts
  const { control, agent } = settings
  const tunnel =
    urls.page && control.telegram.kind === 'playground' ? tunnelLine(env, control.telegram.port, user) : null
  return [
    '',
    missing.length === 0
      ? `SKYNET is ready (${ready})`
      : `SKYNET runs (${ready}), but: ${missing.join('; ')}`,
    '',
    ...chatLines(facts, tunnel),
    row('API', `${urls.api}/v1`),
    row('Works in', agent.roots.join(', ')),
    row('Data', control.dataDir),
    '',
    ...(urls.page
      ? ['On your phone: make a bot with @BotFather, put TELEGRAM_BOT_TOKEN=... into .env, start again.']
      : []),
    'Ctrl+C stops it. `npm run skynet -- doctor` checks it, `npm run skynet -- --help` shows the rest.',
    '',
  ].join('\n')
}

const row = (name: string, value: string): string => `  ${name.padEnd(10)} ${value}`

function chatLines({ urls: { page }, botTrouble, pairing }: Facts, tunnel: string | null): string[] {
  if (page)
    return [
      row('Chat', `${page}  (opens once; \`npm run skynet -- chat\` prints a new link)`),
      ...(tunnel ? [row('from afar', `${tunnel}   on your own machine, then open the link there`)] : []),
    ]
  return [
    row('Chat', botTrouble ? `not yet: ${botTrouble}` : 'your bot on Telegram'),
    ...(pairing
      ? [row('Owner', `send it  /pair ${pairing}  (works once, within 24 h) to become its owner`)]
      : []),
  ]
}

/** The name to log in by. */
export const userName = (): string => {
  try {
    return userInfo().username
  } catch {
    return 'you'
  }
}
