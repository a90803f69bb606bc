import { once } from 'node:events'
import { type AddressInfo, connect, createServer } from 'node:net'
import { messageOf } from '../core/config/logger.ts'
import { ConfigError, type Env } from '../core/config/settings.ts'

const LOOK_MS = 1000

/** A place to listen at, and the settings that say it. */
export type Listening = {
  setting: 'SKYNET_HTTP' | 'SKYNET_GATEWAY' | 'SKYNET_PLAYGROUND'
  host: string
  port: number
}

/**
 * Makes sure that nobody listens where this installation will. Returns the settings with a free port in the place of
 * each 0, so that every part knows the others' ports. Rejects with ConfigError for the first that is taken.
 */
export async function checkPorts(env: Env, places: readonly Listening[]): Promise<Env> {
  const found = new Map<string, string>()
  for (const place of places) found.set(`${place.setting}_PORT`, String(await tryPort(place)))
  return { ...env, ...Object.fromEntries(found) }
}

async function tryPort({ setting, host, port }: Listening): Promise<number> {
  const server = createServer()
  try {
    server.listen(port, host)
    await once(server, 'listening')
    return (server.address() as AddressInfo).port
  } catch (error) {
    throw await explain({ setting, host, port }, error as NodeJS.ErrnoException)
  } finally {
    server.close()
  }
}

async function explain(
  { setting, host, port }: Listening,
  error: NodeJS.ErrnoException,
): Promise<ConfigError> {
  const name = `${setting}_PORT`
  if (error.code === 'EADDRINUSE') {
    const who = (await isSkynet(host, port)) ? 'another SKYNET, which runs already' : 'another program'
    return new ConfigError(
      `${name}: port ${port} is in use by ${who}. Stop it, or set ${name} to a free port.`,
    )
  }
  if (error.code === 'EACCES')
    return new ConfigError(`${name}: this user may not listen on port ${port}; it takes one above 1023.`)
  return new ConfigError(
    `${setting}_HOST: got ${JSON.stringify(host)} (${error.code ?? messageOf(error)}); it takes an address of this machine, such as 127.0.0.1 or 0.0.0.0.`,
  )
}

/** Who listens at a place of these settings. */
export async function holderOf({ host, port }: Listening): Promise<'nobody' | 'skynet' | 'other'> {
  const socket = connect({ host: nearHost(host), port, timeout: LOOK_MS })
  const answers = await Promise.race([
    once(socket, 'connect').then(
      () => true,
      () => false,
    ),
    once(socket, 'timeout').then(() => false),
  ]).catch(() => false)
  socket.destroy()
  if (!answers) return 'nobody'
  return (await isSkynet(host, port)) ? 'skynet' : 'other'
}

const nearHost = (host: string): string => (['0.0.0.0', '::'].includes(host) ? '127.0.0.1' : host)

/** Every listener of SKYNET's says on its health page that it is one. */
async function isSkynet(host: string, port: number): Promise<boolean> {
  const at = `http://${nearHost(host)}:${port}`
  const texts = ['/v1/health', '/health', '/'].map((path) =>
    fetch(at + path, { signal: AbortSignal.timeout(LOOK_MS) }).then((answer) => answer.text()),
  )
  const answers = await Promise.allSettled(texts)
  return answers.some(
    (a) => a.status === 'fulfilled' && /"parts":\{"database"|"gateway_id"|SKYNET/.test(a.value),
  )
}
