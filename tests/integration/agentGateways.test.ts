import { existsSync, mkdirSync, readFileSync, symlinkSync } from 'node:fs'
import { join } from 'node:path'
import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import { parseGatewayConfig } from '../../core/config/gateway.ts'
import { canonicalPath } from '../../core/protocol/canonicalPath.ts'
import { type RunningGateway, startGateway } from '../../gateway/main.ts'
import { testLog } from '../support/control.ts'
import { proxyDatabase } from '../support/databaseProxy.ts'
import type { Sent } from '../support/fakeControl.ts'
import { Pair } from '../unit/agent/startPair.ts'

const pair = new Pair()
let office: RunningGateway
const startOffice = (port: string) =>
  startGateway({
    config: parseGatewayConfig({
      ...pair.env,
      SKYNET_GATEWAY_NAME: 'office',
      SKYNET_GATEWAY_PORT: port,
      SKYNET_GATEWAY_URL: '',
    }),
    log: testLog,
  })
beforeAll(async () => {
  await pair.startControl()
  await pair.startGateway()
  office = await startOffice('0')
  pair.env = { ...pair.env, SKYNET_GATEWAY_URL: `${pair.gatewayUrl}, ${office.url}` }
  await pair.startAgent()
  await has(office.url)
})
afterAll(async () => {
  await office?.stop()
  await pair.stop()
})

const call = async (url: string, method: string, path: string, body?: unknown) => {
  const response = await fetch(url + path, {
    method,
    headers: { authorization: `Bearer ${pair.control.gatewayToken}`, 'content-type': 'application/json' },
    ...(body === undefined ? {} : { body: JSON.stringify(body) }),
  })
  return { status: response.status, text: await response.text() }
}
const has = async (url: string) => {
  for (let tries = 0; tries < 400; tries++) {
    if ((await call(url, 'GET', '/agents')).text.includes(pair.control.agentId)) return
    await new Promise((done) => setTimeout(done, 25))
  }
  throw new Error(`the agent did not come to ${url}`)
}
const shell = (command: string) =>
  pair.control.attempt({ action: 'shell', params: { command }, cwd: pair.workspace })
const sendTo = (url: string, sent: Sent) => call(url, 'POST', '/action', sent)
const counted = (count: number) => Array.from({ length: count }, (_, i) => `line ${i + 1}\n`).join('')

describe('an agent with two gateways', () => {
  test('says one hello to each, of one session', () => {
    const sessions = pair.control.hellos.map((hello) => hello.session)
    expect(new Set(sessions).size).toBe(1)
    expect(new Set(pair.control.hellos.map((hello) => hello.gateway_id)).size).toBe(2)
  })

  test('takes work over either, and the same claim over both starts once', async () => {
    const file = join(pair.workspace, 'both')
    const sent = shell(`echo x >> ${file}; sleep 0.2`)
    const answers = await Promise.all([sendTo(pair.gatewayUrl, sent), sendTo(office.url, sent)])
    expect(answers.map(({ status }) => status)).toEqual([202, 202])
    await pair.control.frame(sent.execution_id, 'exited')
    expect(readFileSync(file, 'utf8')).toBe('x\n')
    expect(pair.control.types(sent.execution_id).filter((type) => type !== 'log')).toEqual([
      'accepted',
      'started',
      'result',
      'exited',
    ])
  })

  test('goes on when a gateway dies under its work: every line and the result arrive, once each', async () => {
    const go = join(pair.workspace, 'go')
    const sent = shell(
      `for i in $(seq 1 300); do echo line $i; done; while [ ! -e ${go} ]; do sleep 0.05; done; for i in $(seq 301 600); do echo line $i; done`,
    )
    await sendTo(pair.gatewayUrl, sent)
    await pair.control.until(() => pair.control.text(sent.execution_id).includes('line 300'))
    await pair.gateway?.stop()
    pair.gateway = null
    mkdirSync(go)
    const { result } = await pair.control.frame(sent.execution_id, 'result')
    await pair.control.frame(sent.execution_id, 'exited')
    expect(result.status).toBe('succeeded')
    expect(pair.control.text(sent.execution_id)).toBe(counted(600))
  })

  test('a cancel over the other one follows it', async () => {
    const sent = shell('sleep 30')
    await sendTo(office.url, sent)
    await pair.control.frame(sent.execution_id, 'started')
    expect(
      (await call(office.url, 'POST', `/cancel/${sent.execution_id}`, { agent_id: pair.control.agentId }))
        .status,
    ).toBe(202)
    const { result } = await pair.control.frame(sent.execution_id, 'result')
    expect(result.status).toBe('cancelled')
  })

  test('comes back to the first when that is there again, and leaves the second as well', async () => {
    const port = new URL(pair.gatewayUrl).port
    pair.gateway = await startGateway({
      config: parseGatewayConfig({ ...pair.env, SKYNET_GATEWAY_PORT: port, SKYNET_GATEWAY_URL: '' }),
      log: testLog,
    })
    await has(pair.gatewayUrl)
    const sent = shell('sleep 0.5; echo done')
    await sendTo(office.url, sent)
    await pair.control.frame(sent.execution_id, 'started')
    const place = new URL(office.url).port
    await office.stop()
    const { result } = await pair.control.frame(sent.execution_id, 'result')
    expect(result.status).toBe('succeeded')
    office = await startOffice(place)
    await has(office.url)
  })
})

test('a gateway that is there and cannot reach the ledger holds nothing up', async () => {
  const way = await proxyDatabase(pair.control.url)
  await pair.gateway?.stop()
  const port = new URL(pair.gatewayUrl).port
  const env = { ...pair.env, SKYNET_API_URL: way.url, SKYNET_GATEWAY_PORT: port, SKYNET_GATEWAY_URL: '' }
  const [first, place] = [pair.gatewayUrl, new URL(office.url).port]
  pair.gateway = await startGateway({ config: parseGatewayConfig(env), log: testLog })
  await has(first)
  await office.stop()
  const before = shell('true')
  await sendTo(first, before)
  await pair.control.frame(before.execution_id, 'exited')
  office = await startOffice(place)
  await has(office.url)
  way.silence()
  const sent = shell('echo over the other')
  await sendTo(first, sent)
  const { result } = await pair.control.frame(sent.execution_id, 'result', 15_000)
  expect(result.status).toBe('succeeded')
  expect(pair.control.text(sent.execution_id)).toBe('over the other\n')
  way.mend()
  await pair.gateway.stop()
  await way.close()
  pair.gateway = null
}, 40_000)

describe('a file under another name', () => {
  test('is refused before anything starts, and what was found is told', async () => {
    const real = join(pair.workspace, 'x/y/z/w/real')
    mkdirSync(real, { recursive: true })
    const link = join(pair.workspace, 'x/y/z/w/link')
    symlinkSync(real, link)
    const mark = join(pair.workspace, 'mark')
    const owns = [join(link, 'file.txt')]
    const sent = pair.control.attempt({
      action: 'shell',
      params: { command: `touch ${mark}` },
      cwd: pair.workspace,
      owns,
    })
    await sendTo(office.url, sent)
    expect(await pair.control.frame(sent.execution_id, 'refused')).toMatchObject({ code: 'file_alias' })
    expect(existsSync(mark)).toBe(false)
    await pair.control.until(
      () => (pair.control.newest?.facts.links ?? []).some((l) => l.path === link),
      8000,
      'the link to be told',
    )
    const links = pair.control.newest?.facts.links
    const known = owns.map((path) => canonicalPath(path, { cwd: '/', home: '/', platform: 'linux', links }))
    expect(known).toEqual([join(real, 'file.txt')])
    const again = pair.control.attempt({
      action: 'shell',
      params: { command: `touch ${mark}` },
      cwd: pair.workspace,
      owns: known,
    })
    await sendTo(office.url, again)
    await pair.control.frame(again.execution_id, 'result')
    expect(existsSync(mark)).toBe(true)
  })
})
