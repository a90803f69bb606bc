import { Api, GrammyError } from 'grammy'
import { afterEach } from 'vitest'
import { type Playground, type PlaygroundOptions, startPlayground } from '../../../playground/server.ts'

export const token = '1000000001:local'
export const visitor = { id: 4242, first_name: 'Ana' }
const relaxed = { perChatPerSecond: 1000, burst: 1000, groupPerMinute: 60_000, overallPerSecond: 10_000 }
const open: Playground[] = []

afterEach(async () => {
  await Promise.all(open.splice(0).map((playground) => playground.close()))
})

/** A playground on a free port, in memory and without limits unless said otherwise; closed after the test. */
export async function start(
  options: Partial<PlaygroundOptions> = {},
): Promise<{ playground: Playground; api: Api }> {
  const playground = await startPlayground({
    port: 0,
    token,
    stateFile: null,
    visitor,
    botName: 'SKYNET',
    limits: relaxed,
    secret: 'key-of-the-test',
    ...options,
  })
  open.push(playground)
  return { playground, api: new Api(token, { apiRoot: playground.url }) }
}

/** The Bot API error a call ends with. */
export async function refused(
  call: Promise<unknown>,
): Promise<{ code: number; description: string; parameters: object }> {
  try {
    await call
  } catch (error) {
    if (error instanceof GrammyError) {
      return { code: error.error_code, description: error.description, parameters: error.parameters }
    }
    throw error
  }
  throw new Error('The call was not refused')
}

/** One raw call, as any client sends it. */
export async function post(
  playground: Playground,
  method: string,
  init: RequestInit = {},
  key = token,
): Promise<Response> {
  return fetch(`${playground.url}/bot${key}/${method}`, { method: 'POST', ...init })
}
