import { createInterface } from 'node:readline'
import type { Readable } from 'node:stream'
import type { AgentConfig } from '../core/config/agent.ts'
import { ConfigError } from '../core/config/settings.ts'
import { SecretStore } from './secretStore.ts'

const usage = 'usage: skynet agent secret set NAME | list | remove NAME'

/**
 * `skynet agent secret`: the store of this machine's agent. A value comes over standard input or is asked for without
 * being shown, never as an argument: those are seen by everybody on the machine. Returns the line to say.
 */
export async function secretCommand(
  config: AgentConfig,
  [verb, name, ...more]: readonly string[],
  input: Readable & { isTTY?: boolean } = process.stdin,
): Promise<string> {
  const store = new SecretStore(config)
  if (verb === 'list' && name === undefined) return store.list().join('\n') || 'No secrets are kept here.'
  if (name === undefined || more.length > 0)
    throw new ConfigError(more.length > 0 ? `${usage}; the value comes over standard input` : usage)
  if (verb === 'remove') {
    if (!store.remove(name)) throw new ConfigError(`There is no secret ${name} here.`)
    return `${name} is removed.`
  }
  if (verb !== 'set') throw new ConfigError(usage)
  store.set(name, input.isTTY ? await askHidden(name) : await readAll(input))
  return `${name} is kept. A task that names it is given it once the task is approved.`
}

/** One line end at the end is the pipe's, not the secret's. */
async function readAll(input: Readable): Promise<string> {
  let text = ''
  for await (const chunk of input.setEncoding('utf8')) text += chunk
  return text.replace(/\r?\n$/, '')
}

/** Asks on the terminal; nothing of the answer is shown. */
async function askHidden(name: string): Promise<string> {
  process.stdout.write(`Value of ${name}: `)
  const asking = createInterface({ input: process.stdin, terminal: true })
  try {
    return await new Promise((resolve, reject) => {
      asking.once('close', () => reject(new ConfigError('Nothing was kept.')))
      asking.question('', resolve)
    })
  } finally {
    asking.close()
    process.stdout.write('\n')
  }
}
