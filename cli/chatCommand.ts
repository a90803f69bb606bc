import { z } from 'zod'
import { parseControlConfig } from '../core/config/control.ts'
import { openSecrets } from '../core/config/secrets.ts'
import type { Env } from '../core/config/settings.ts'
import { tunnelLine, userName } from './banner.ts'
import { UsageError } from './reportError.ts'

const TIMEOUT_MS = 3000

const Answer = z.object({ result: z.object({ link: z.url() }) })

/** `skynet chat`: a new one-time link of the chat page that runs. */
export async function chatCommand(env: Env): Promise<void> {
  const { telegram, dataDir } = parseControlConfig(env)
  if (telegram.kind !== 'playground')
    throw new UsageError('a bot token is set: the chat is your bot on Telegram, and there is no chat page.')
  const { playground_token: token } = await openSecrets(dataDir)
  console.log(await askLink(telegram.port, token))
  const tunnel = tunnelLine(env, telegram.port, userName())
  if (tunnel) console.log(`From afar: ${tunnel}   on your own machine, then open the link there.`)
}

async function askLink(port: number, token: string): Promise<string> {
  const answer = await fetch(`http://127.0.0.1:${port}/api/link`, {
    headers: { authorization: `Bearer ${token}` },
    signal: AbortSignal.timeout(TIMEOUT_MS),
  }).catch(() => null)
  if (answer?.status === 401)
    throw new UsageError(
      `the chat page on port ${port} belongs to another SKYNET (or another data directory): ask there.`,
    )
  const parsed = Answer.safeParse(await answer?.json().catch(() => null))
  if (!parsed.success)
    throw new UsageError(`no chat page of SKYNET answers on port ${port}. Start it with \`npm start\`.`)
  return parsed.data.result.link
}
