import { execFileSync } from 'node:child_process'
import { mkdirSync, readdirSync, readFileSync, symlinkSync } from 'node:fs'
import { join } from 'node:path'
import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import { Pair } from '../unit/agent/startPair.ts'

/** Processes whose command line holds a text, zombies aside. */
function processesWith(text: string): number {
  return readdirSync('/proc').filter((name) => {
    if (!/^\d+$/.test(name)) return false
    try {
      return readFileSync(`/proc/${name}/cmdline`, 'utf8').replaceAll('\0', ' ').includes(text)
    } catch {
      return false
    }
  }).length
}

let number = 0
const unique = () => `29${String(process.pid).padStart(7, '0')}.${++number}`

/** Five kinds of processes that like to stay: plain, setsid, double fork, no environment, deaf to TERM. */
const tree = (seconds: string) => `
sleep ${seconds} &
setsid sleep ${seconds} >/dev/null 2>&1 &
(setsid sh -c '(sleep ${seconds} >/dev/null 2>&1 &) &' )
env -i setsid /bin/sleep ${seconds} >/dev/null 2>&1 &
(trap '' TERM; sleep ${seconds}) &
echo ready
`

/** A search path with everything the commands here need, and without bwrap. */
function pathWithoutBwrap(dir: string): string {
  mkdirSync(dir)
  for (const name of ['sh', 'sleep', 'setsid', 'env', 'setpriv', 'unshare', 'kill', 'true']) {
    symlinkSync(execFileSync('which', [name]).toString().trim(), join(dir, name))
  }
  return dir
}

describe.each(['bwrap', 'unshare', 'group'])('held by %s', (sandbox) => {
  const pair = new Pair()
  beforeAll(async () => {
    await pair.startControl()
    pair.env.SKYNET_AGENT_SANDBOX = sandbox === 'group' ? 'off' : 'auto'
    await pair.startGateway()
    const path = sandbox === 'unshare' ? pathWithoutBwrap(join(pair.dir, 'bin')) : process.env.PATH
    await pair.startAgent({ env: { ...process.env, PATH: path } })
    expect(pair.agent?.sandbox).toBe(sandbox)
  })
  afterAll(() => pair.stop())

  test('cancel says cancelled only when the whole tree is gone', async () => {
    const seconds = unique()
    const sent = await pair.shell(
      `${sandbox === 'group' ? tree(seconds).replace('env -i ', '') : tree(seconds)} wait`,
    )
    await pair.control.frame(sent.execution_id, 'log')
    await pair.control.until(() => processesWith(`sleep ${seconds}`) >= 5)
    await pair.cancel(sent)
    const { result } = await pair.control.frame(sent.execution_id, 'result')
    expect(result.status).toBe('cancelled')
    await pair.control.frame(sent.execution_id, 'exited')
    expect(processesWith(`sleep ${seconds}`)).toBe(0)
  })

  test('what a command leaves behind ends with it', async () => {
    const seconds = unique()
    const sent = await pair.shell(sandbox === 'group' ? tree(seconds).replace('env -i ', '') : tree(seconds))
    await pair.control.frame(sent.execution_id, 'exited')
    expect(processesWith(`sleep ${seconds}`)).toBe(0)
    const { result } = await pair.control.frame(sent.execution_id, 'result')
    expect(result.status).toBe('succeeded')
  })

  test('TERM reaches the command, which may clean up', async () => {
    const sent = await pair.shell(
      `trap 'echo cleaned; exit 0' TERM; echo ready; while :; do sleep 0.05; done`,
    )
    await pair.control.frame(sent.execution_id, 'log')
    const since = performance.now()
    await pair.cancel(sent)
    await pair.control.frame(sent.execution_id, 'exited')
    expect(performance.now() - since).toBeLessThan(1500)
    expect(pair.control.text(sent.execution_id)).toMatch(/^ready\n[\s\S]*cleaned\n$/)
    expect((await pair.control.frame(sent.execution_id, 'result')).result.status).toBe('cancelled')
  })

  test('a command that ignores TERM is killed after two seconds', async () => {
    const sent = await pair.shell(`trap '' TERM; echo ready; while :; do sleep 0.05; done`)
    await pair.control.frame(sent.execution_id, 'log')
    const since = performance.now()
    await pair.cancel(sent)
    await pair.control.frame(sent.execution_id, 'exited')
    expect(performance.now() - since).toBeGreaterThan(1900)
    expect(performance.now() - since).toBeLessThan(3500)
  })

  test('the time limit ends it', async () => {
    const seconds = unique()
    const sent = await pair.shell(`echo before; sleep ${seconds}`, { timeout_s: 1 })
    const { result } = await pair.control.frame(sent.execution_id, 'result')
    expect(result).toMatchObject({
      status: 'timeout',
      error: 'ended after its time limit of 1 s',
      summary: 'before',
    })
    await pair.control.frame(sent.execution_id, 'exited')
    expect(processesWith(`sleep ${seconds}`)).toBe(0)
  })

  test('the exit of a signalled command is told', async () => {
    const sent = await pair.shell('kill -SEGV $$')
    const { result } = await pair.control.frame(sent.execution_id, 'result')
    expect(result).toMatchObject({ status: 'failed', signal: 'SIGSEGV', error: 'ended by SIGSEGV' })
  })
})
