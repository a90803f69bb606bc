import { once } from 'node:events'
import { existsSync, readdirSync, readFileSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { setTimeout as sleep } from 'node:timers/promises'
import { afterEach, beforeEach, expect, test, vi } from 'vitest'
import { Pair } from '../unit/agent/startPair.ts'

let pair: Pair
beforeEach(async () => {
  pair = new Pair()
  await pair.startControl()
  await pair.startGateway()
})
afterEach(() => pair.stop())

const running = (text: string): number =>
  readdirSync('/proc').filter((name) => {
    try {
      return (
        /^\d+$/.test(name) &&
        readFileSync(`/proc/${name}/cmdline`, 'utf8').replaceAll('\0', ' ').includes(text)
      )
    } catch {
      return false
    }
  }).length

const stubborn = (seconds: string) =>
  `echo x >> ran; setsid sleep ${seconds} >/dev/null 2>&1 & env -i setsid sleep ${seconds} & (trap '' TERM; sleep ${seconds}) & echo ready; wait`

test('kill -9 of the agent leaves nothing running; after its restart the attempt is lost and never started again', async () => {
  const agent = await pair.spawnAgent()
  const seconds = `37${process.pid}.1`
  const sent = await pair.shell(stubborn(seconds))
  await pair.control.frame(sent.execution_id, 'log')
  await pair.control.until(() => running(`sleep ${seconds}`) >= 3)
  agent.kill('SIGKILL')
  await pair.control.until(() => running(`sleep ${seconds}`) === 0, 1000)
  await pair.spawnAgent()
  await pair.control.frame(sent.execution_id, 'exited')
  expect(pair.control.hellos.at(-1)?.attempts).toEqual([
    { execution_id: sent.execution_id, state: 'unacknowledged' },
  ])
  await pair.act(sent)
  await pair.shell('true').then((next) => pair.control.frame(next.execution_id, 'exited'))
  expect(pair.control.types(sent.execution_id)).toEqual(['accepted', 'started', 'log', 'lost', 'exited'])
  expect(readFileSync(join(pair.workspace, 'ran'), 'utf8')).toBe('x\n')
}, 20_000)

test('the end of the standard input ends the agent and all it runs', async () => {
  const agent = await pair.spawnAgent()
  const seconds = `37${process.pid}.2`
  const sent = await pair.shell(stubborn(seconds))
  await pair.control.frame(sent.execution_id, 'log')
  await pair.control.until(() => running(`sleep ${seconds}`) >= 3)
  const ended = once(agent, 'exit')
  agent.stdin?.end()
  expect((await ended)[0]).toBe(0)
  expect(running(`sleep ${seconds}`)).toBe(0)
  await pair.control.frame(sent.execution_id, 'lost')
}, 20_000)

test('SIGTERM lets work end', async () => {
  const agent = await pair.spawnAgent()
  const sent = await pair.shell('echo begun; sleep 0.7; echo done')
  await pair.control.frame(sent.execution_id, 'log')
  const ended = once(agent, 'exit')
  agent.kill('SIGTERM')
  expect((await ended)[0]).toBe(0)
  expect((await pair.control.frame(sent.execution_id, 'result')).result).toMatchObject({
    status: 'succeeded',
    summary: 'begun\ndone',
  })
}, 20_000)

test('a second agent on the same directory does not start', async () => {
  await pair.spawnAgent()
  const [code] = await once(pair.spawn('agent', { SKYNET_LOG_LEVEL: 'error' }), 'exit')
  expect(code).toBe(1)
}, 20_000)

test('work goes on while the gateway restarts; everything arrives', async () => {
  await pair.startAgent()
  const sent = await pair.shell('for i in $(seq 20); do echo line $i; sleep 0.05; done')
  await pair.control.frame(sent.execution_id, 'log')
  await pair.gateway?.stop()
  await sleep(300)
  await pair.startGateway()
  await pair.control.frame(sent.execution_id, 'exited')
  const lines = Array.from({ length: 20 }, (_, i) => `line ${i + 1}\n`).join('')
  expect(pair.control.text(sent.execution_id)).toBe(lines)
  expect(pair.control.types(sent.execution_id).filter((type) => type === 'result')).toHaveLength(1)
})

test('while the API is away nothing is lost, and the gateway does not hurry', async () => {
  await pair.startAgent()
  pair.control.broken.set('/v1/report', 503)
  const sent = await pair.shell('seq 2000; echo end')
  await sleep(400)
  expect(pair.control.types(sent.execution_id)).toEqual([])
  pair.control.broken.set('/v1/report', 0)
  await sleep(200)
  pair.control.broken.delete('/v1/report')
  await pair.control.frame(sent.execution_id, 'exited')
  expect(pair.control.text(sent.execution_id)).toMatch(/^1\n2\n[\s\S]*\n2000\nend\n$/)
})

test('a revoked agent is cut off and does not hammer', async () => {
  await pair.startAgent()
  pair.control.broken.set('/v1/register-worker', 401)
  await pair.gateway?.stop()
  await pair.startGateway()
  const from = pair.control.brokenAt.length
  await vi.waitFor(() => expect(pair.control.brokenAt.length).toBeGreaterThanOrEqual(from + 2), 30_000)
  const [first = 0, second = 0] = pair.control.brokenAt.slice(from)
  expect(second - first).toBeGreaterThan(1000)
  const { json } = await pair.call('GET', '/agents')
  expect(json.agents).toEqual([])
  pair.control.broken.delete('/v1/register-worker')
  await pair.connected()
})

test('the agent waits for an API that is not there yet', async () => {
  pair.control.broken.set('/v1/register-worker', 503)
  const started = pair.startAgent()
  await sleep(300)
  pair.control.broken.delete('/v1/register-worker')
  await started
})

test('attempts the API names at hello are killed', async () => {
  await pair.startAgent()
  const sent = await pair.shell('echo ready; sleep 60')
  await pair.control.frame(sent.execution_id, 'log')
  pair.control.cancel = [sent.execution_id]
  await pair.gateway?.stop()
  await pair.startGateway()
  expect((await pair.control.frame(sent.execution_id, 'result')).result.status).toBe('cancelled')
})

test('a torn journal is read as far as it is whole', async () => {
  await pair.startAgent()
  const sent = await pair.shell('echo x >> ran')
  await pair.control.frame(sent.execution_id, 'exited')
  await pair.agent?.stop(0)
  const dir = join(pair.dir, 'data/agent-laptop/journal')
  const file = join(dir, readdirSync(dir).sort().at(-1) ?? '')
  writeFileSync(file, Buffer.concat([readFileSync(file), Buffer.from('deadbeef F torn')]))
  await pair.startAgent()
  await pair.act(sent)
  await pair.shell('true').then((next) => pair.control.frame(next.execution_id, 'exited'))
  expect(readFileSync(join(pair.workspace, 'ran'), 'utf8')).toBe('x\n')
})

test('a journal that a power cut took the last confirmation from: it is given all the same', async () => {
  await pair.startAgent()
  const sent = await pair.shell('echo ready; sleep 0.3')
  await pair.control.frame(sent.execution_id, 'log')
  await pair.gateway?.stop()
  const dir = join(pair.dir, 'data/agent-laptop/journal')
  const file = join(dir, readdirSync(dir).sort().at(-1) ?? '')
  const lines = () => readFileSync(file, 'utf8').split('\n')
  const isResult = (line: string) => line.includes('"type":"result"')
  await pair.control.until(() => lines().some(isResult))
  await pair.agent?.stop(0)
  writeFileSync(
    file,
    `${lines()
      .slice(0, lines().findIndex(isResult) + 1)
      .join('\n')}\n`,
  )
  await pair.startGateway()
  await pair.startAgent()
  await pair.control.frame(sent.execution_id, 'exited')
  expect(pair.control.types(sent.execution_id)).toEqual(['accepted', 'started', 'log', 'result', 'exited'])
})

test('joins by a code and starts as who it became', async () => {
  const {
    SKYNET_AGENT_ID: _,
    SKYNET_AGENT_CREDENTIAL: __,
    SKYNET_CONTROL_KEY: ___,
    SKYNET_GATEWAY_URL: url = '',
    ...env
  } = pair.env
  pair.env = env
  const { joinAgent } = await import('../../agent/main.ts')
  const { parseAgentConfig } = await import('../../core/config/agent.ts')
  await expect(joinAgent(parseAgentConfig(env), url, 'wrong-code')).rejects.toThrow(
    'The code is wrong or was used.',
  )
  await joinAgent(parseAgentConfig(env), url, 'good-code')
  await pair.startAgent()
  expect(pair.agent?.agentId).toBe(pair.control.agentId)
  expect(existsSync(join(pair.dir, 'data/agent-laptop/enrolment.json'))).toBe(true)
})
