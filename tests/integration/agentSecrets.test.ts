import { spawn } from 'node:child_process'
import { readFileSync, statSync, writeFileSync } from 'node:fs'
import { join, resolve } from 'node:path'
import { Readable } from 'node:stream'
import { text } from 'node:stream/consumers'
import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import { secretCommand } from '../../agent/secretCommand.ts'
import { MIN_SECRET, SecretStore } from '../../agent/secretStore.ts'
import { parseAgentConfig } from '../../core/config/agent.ts'
import { Pair } from '../unit/agent/startPair.ts'

const pair = new Pair()
const value = 'correct horse battery 42'
let store: SecretStore
beforeAll(async () => {
  await pair.start()
  store = new SecretStore(parseAgentConfig(pair.env))
})
afterAll(() => pair.stop())

/** The attempt that ran last. */
let last = ''

async function run(command: string, secrets?: string[], network = true) {
  const sent = await pair.shell(command, { network, ...(secrets ? { secrets } : {}) })
  last = sent.execution_id
  await pair.control.frame(last, 'exited')
  return pair.control.text(sent.execution_id)
}

describe('a secret of the agent’s own store', () => {
  test('is a variable of the process that was approved with its name, and of no other', async () => {
    store.set('DEPLOY_TOKEN', value)
    const found = 'test "$DEPLOY_TOKEN" = "correct horse battery 42" && echo it is there || echo nothing'
    expect(await run(found, ['DEPLOY_TOKEN'])).toBe('it is there\n')
    expect(await run(found)).toBe('nothing\n')
  })

  test('does not come out, in whatever encoding', async () => {
    const text = await run(
      [
        'echo "$DEPLOY_TOKEN"',
        'printf %s "$DEPLOY_TOKEN" | base64',
        `printf %s "$DEPLOY_TOKEN" | od -An -tx1 | tr -d ' \\n'; echo`,
        'echo "before $DEPLOY_TOKEN after" | rev | rev',
        'env',
        'echo "$DEPLOY_TOKEN" >&2',
      ].join('\n'),
      ['DEPLOY_TOKEN'],
    )
    expect(text).not.toContain(value)
    expect(text).not.toContain(Buffer.from(value).toString('base64').slice(0, 16))
    expect(text).not.toContain(Buffer.from(value).toString('hex').slice(0, 16))
    expect(text).toContain('DEPLOY_TOKEN=')
    expect(JSON.stringify(pair.control.frames(last))).not.toContain(value)
  })

  test('one that was set meanwhile is kept out at once', async () => {
    store.set('LATER', 'another value of somebody 7')
    expect(await run('echo "<$LATER>"; echo "<another value of somebody 7>"', ['LATER'])).not.toContain(
      'somebody',
    )
  })

  test('one that is not there is refused, by name', async () => {
    const sent = await pair.shell('echo x', { secrets: ['MISSING'] })
    expect(await pair.control.frame(sent.execution_id, 'refused')).toMatchObject({
      code: 'no_secret',
      reason: expect.stringContaining('skynet agent secret set MISSING'),
    })
  })

  test('its file is the account’s alone, and no command sees it', async () => {
    const file = join(pair.dir, 'data/agent-laptop/task-secrets.json')
    expect(statSync(file).mode & 0o777).toBe(0o600)
    expect(readFileSync(file, 'utf8')).toContain(value)
    expect(await run(`cat ${file} && echo seen`)).not.toContain('seen')
  })

  test('the network is reached only where the spec says so', async () => {
    const port = new URL(pair.gatewayUrl).port
    const connect = `perl -MSocket -e 'socket(S, PF_INET, SOCK_STREAM, 0); print connect(S, sockaddr_in(${port}, INADDR_LOOPBACK)) ? "reached" : "not reached"'`
    expect(await run(connect, undefined, true)).toBe('reached')
    expect(await run(connect, undefined, false)).toBe('not reached')
  })
})

describe('the command', () => {
  /** Not blocking: the agent under test lives in this process. */
  const cli = (args: string[], input = ''): Promise<string> => {
    const file = resolve(import.meta.dirname, '../../agent/main.ts')
    const child = spawn(process.execPath, [file, 'secret', ...args], {
      env: { PATH: process.env.PATH, HOME: pair.dir, ...pair.env },
      stdio: ['pipe', 'pipe', 'inherit'],
    })
    child.stdin.end(input)
    return text(child.stdout)
  }

  test('sets over standard input', async () => {
    expect(await cli(['set', 'FROM_PIPE'], 'a long enough value\n')).toMatch(/^FROM_PIPE is kept/)
    expect(store.variables(['FROM_PIPE'])).toEqual({ FROM_PIPE: 'a long enough value' })
  })

  const config = () => parseAgentConfig(pair.env)
  const said = (secret: string): Readable => Readable.from([secret])
  test.each([
    ['PATH', 'long enough to be kept'],
    ['LD_PRELOAD', 'long enough to be kept'],
    ['GIT_SSH_COMMAND', 'long enough to be kept'],
    ['SKYNET_X', 'long enough to be kept'],
    ['lower', 'long enough to be kept'],
    ['A B', 'long enough to be kept'],
    ['SHORT', 'x'.repeat(MIN_SECRET - 1)],
    ['EMPTY', ''],
    ['HUGE', 'x'.repeat(100_000)],
  ])('does not take %s', async (name, secret) => {
    await expect(secretCommand(config(), ['set', name], said(secret))).rejects.toThrow(/cannot be kept/)
  })

  test('lists and removes', async () => {
    await secretCommand(config(), ['set', 'TO_GO'], said('long enough to be kept'))
    expect(await secretCommand(config(), ['list'])).toMatch(/^TO_GO$/m)
    expect(await secretCommand(config(), ['remove', 'TO_GO'])).toBe('TO_GO is removed.')
    expect(store.names()).not.toContain('TO_GO')
  })

  test('takes no value as an argument, and nothing it does not know', async () => {
    for (const args of [['set', 'NAME', 'value'], ['set'], ['show', 'NAME'], [], ['remove', 'NOBODY']])
      await expect(secretCommand(config(), args, said('long enough to be kept'))).rejects.toThrow()
  })

  test('says when its file is damaged; the agent goes on with what it had', async () => {
    const file = join(pair.dir, 'data/agent-laptop/task-secrets.json')
    const before = readFileSync(file, 'utf8')
    writeFileSync(file, before.slice(0, -5))
    await expect(secretCommand(config(), ['list'])).rejects.toThrow(/is damaged/)
    expect(await run('test -n "$DEPLOY_TOKEN" && echo it is there', ['DEPLOY_TOKEN'])).toBe('it is there\n')
    writeFileSync(file, before)
  })
})
