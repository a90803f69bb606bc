import { createPrivateKey, randomUUID } from 'node:crypto'
import { existsSync, readFileSync } from 'node:fs'
import { join } from 'node:path'
import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import { newSigningKey, signGrant } from '../../core/protocol/grants.ts'
import { Pair } from '../unit/agent/startPair.ts'

const pair = new Pair()
beforeAll(() => pair.start())
afterAll(() => pair.stop())

const marker = () => join(pair.workspace, `ran-${randomUUID()}`)

describe('dispatch', () => {
  test('runs a command and reports every step in order', async () => {
    const sent = await pair.shell('echo one; echo two >&2; exit 3')
    await pair.control.frame(sent.execution_id, 'exited')
    const frames = pair.control.frames(sent.execution_id)
    expect(frames.map((frame) => frame.seq)).toEqual(frames.map((_, i) => i + 1))
    expect(frames.map((frame) => frame.type).filter((type) => type !== 'log')).toEqual([
      'accepted',
      'started',
      'result',
      'exited',
    ])
    const { result } = await pair.control.frame(sent.execution_id, 'result')
    expect(result).toMatchObject({
      status: 'failed',
      exit_code: 3,
      signal: null,
      output_bytes: 8,
      output_lost: 0,
      error: 'exit code 3',
    })
    const status = await pair.call('GET', `/status/${sent.execution_id}`)
    expect(status.json).toMatchObject({
      execution_id: sent.execution_id,
      agent_id: pair.control.agentId,
      state: 'exited',
    })
  })

  test('gives the same answer to the same key and starts nothing again', async () => {
    const file = marker()
    const sent = await pair.shell(`echo x >> ${file}`)
    const answers = await Promise.all([pair.act(sent), pair.act(sent), pair.act(sent)])
    expect(answers.map(({ status }) => status)).toEqual([202, 202, 202])
    expect(answers[0]?.json).toEqual({ execution_id: sent.execution_id, agent_id: pair.control.agentId })
    await pair.control.frame(sent.execution_id, 'exited')
    await pair.act(sent)
    await pair.shell('true').then((next) => pair.control.frame(next.execution_id, 'exited'))
    expect(readFileSync(file, 'utf8')).toBe('x\n')
  })

  test('takes the id of the attempt from the grant when it is left out', async () => {
    const { execution_id, ...rest } = pair.control.attempt({
      action: 'noop',
      params: {},
      cwd: pair.workspace,
    })
    const answer = await pair.call('POST', '/execute', rest)
    expect(answer).toMatchObject({ status: 202, json: { execution_id } })
  })

  test('refuses the same key with another spec', async () => {
    const sent = await pair.shell('true')
    const other = { ...sent, spec: { ...sent.spec, params: { command: 'false' } } }
    expect(await pair.act(other)).toMatchObject({ status: 409, json: { error: { code: 'OTHER_SPEC' } } })
    expect((await pair.act({ ...sent, execution_id: randomUUID() })).status).toBe(409)
  })

  test('answers 503 for an agent that is not connected', async () => {
    const sent = pair.control.attempt({
      action: 'noop',
      params: {},
      cwd: pair.workspace,
      agent_id: randomUUID(),
    })
    expect(await pair.act(sent)).toMatchObject({ status: 503, json: { error: { code: 'AGENT_OFFLINE' } } })
    expect((await pair.call('POST', `/cancel/${randomUUID()}`, { agent_id: randomUUID() })).status).toBe(503)
  })

  test('tells agents and health', async () => {
    const { json } = await pair.call('GET', '/agents')
    expect(json.agents).toMatchObject([
      { agent_id: pair.control.agentId, name: 'laptop', roots: [pair.workspace] },
    ])
    const health = await pair.call('GET', '/health', undefined, 'nobody-at-all')
    expect(health).toMatchObject({ status: 200, json: { status: 'ok', api: 'ok' } })
  })
})

describe('the door', () => {
  test.each([
    ['GET', '/agents'],
    ['GET', `/status/${randomUUID()}`],
    ['POST', '/action'],
    ['POST', '/execute'],
    ['POST', `/cancel/${randomUUID()}`],
    ['GET', '/nothing'],
  ])('%s %s needs the token', async (method, path) => {
    const answer = await pair.call(method, path, method === 'POST' ? {} : undefined, 'x'.repeat(32))
    expect(answer).toMatchObject({ status: 401, json: { error: { code: 'UNAUTHORIZED' } } })
  })

  test('refuses what does not fit', async () => {
    expect((await pair.call('POST', '/action', { no: 1 })).status).toBe(400)
    expect((await pair.call('GET', '/nothing')).status).toBe(404)
    expect((await pair.call('POST', '/agents', {})).status).toBe(405)
    expect((await pair.call('GET', '/status/not-an-id')).status).toBe(400)
    expect((await pair.call('GET', `/status/${randomUUID()}`)).status).toBe(404)
    expect((await pair.call('POST', `/cancel/${randomUUID()}`, { x: 'y'.repeat(100_000) })).status).toBe(413)
    const sent = pair.control.attempt({ action: 'noop', params: {}, cwd: pair.workspace })
    expect((await pair.act({ ...sent, task_id: randomUUID() })).status).toBe(400)
  })
})

describe('the grant', () => {
  const noop = () => ({ action: 'noop' as const, params: {}, cwd: pair.workspace })
  const refusedWith = async (sent: ReturnType<typeof pair.control.attempt>, code: string) => {
    expect((await pair.act(sent)).status).toBe(202)
    expect(await pair.control.frame(sent.execution_id, 'refused')).toMatchObject({ code, seq: 1 })
    expect(pair.control.types(sent.execution_id)).toEqual(['refused'])
  }

  test('of another key is refused', async () => {
    const sent = pair.control.attempt(noop())
    await refusedWith(
      { ...sent, grant: signGrant(sent.grant.payload, createPrivateKey(newSigningKey().privatePem)) },
      'grant_signature',
    )
  })
  test('that has expired is refused', () =>
    refusedWith(
      pair.control.attempt(noop(), { expires_at: new Date(Date.now() - 1).toISOString() }),
      'grant_expired',
    ))
  test('for another agent is refused', () =>
    refusedWith(pair.control.attempt(noop(), { agent_id: randomUUID() }), 'grant_other_agent'))
  test('for another machine is refused', () =>
    refusedWith(pair.control.attempt(noop(), { machine_id: 'other' }), 'grant_other_machine'))
  test('for another spec is refused', () =>
    refusedWith(pair.control.attempt(noop(), { spec_hash: 'b'.repeat(64) }), 'grant_other_spec'))
  test('for another attempt is refused', () =>
    refusedWith(pair.control.attempt(noop(), { execution_id: randomUUID() }), 'grant_other_attempt'))

  test('outside the roots is refused', async () => {
    await refusedWith(pair.control.attempt({ ...noop(), cwd: '/etc' }), 'outside_roots')
    await refusedWith(pair.control.attempt({ ...noop(), cwd: `${pair.workspace}/../data` }), 'outside_roots')
    await refusedWith(pair.control.attempt({ ...noop(), cwd: `${pair.workspace}/none` }), 'no_directory')
  })
})

describe('cancel', () => {
  test('of an attempt that is not known yet refuses its later dispatch', async () => {
    const file = marker()
    const sent = pair.control.attempt({
      action: 'shell',
      params: { command: `touch ${file}` },
      cwd: pair.workspace,
    })
    expect((await pair.cancel(sent)).status).toBe(202)
    await pair.control.frame(sent.execution_id, 'exited')
    expect((await pair.act(sent)).status).toBe(202)
    await pair.shell('true').then((next) => pair.control.frame(next.execution_id, 'exited'))
    expect(pair.control.types(sent.execution_id)).toEqual(['refused', 'exited'])
    expect(existsSync(file)).toBe(false)
  })

  test('sent at the same time as the dispatch ends it either way', async () => {
    const sents = Array.from({ length: 10 }, () =>
      pair.control.attempt({ action: 'shell', params: { command: 'sleep 30' }, cwd: pair.workspace }),
    )
    await Promise.all(sents.map((sent) => Promise.all([pair.act(sent), pair.cancel(sent)])))
    for (const sent of sents) await pair.control.frame(sent.execution_id, 'exited', 4000)
  })
})

describe('enrolment', () => {
  test('forwards a code and slows down guessing', async () => {
    const body = (code: string) => ({ code, name: 'desk', machine_id: 'm1' })
    const machine = pair.control.machineId
    const good = await pair.call('POST', '/enroll', body('good-code'), 'none')
    pair.control.machineId = machine
    expect(good).toMatchObject({
      status: 200,
      json: { agent_id: pair.control.agentId, control_key: pair.control.key.publicKey },
    })
    const answers = []
    for (let i = 0; i < 12; i++)
      answers.push((await pair.call('POST', '/enroll', body(`wrong-code-${i}`), 'none')).status)
    expect(answers[0]).toBe(401)
    expect(answers.at(-1)).toBe(429)
  })
})
