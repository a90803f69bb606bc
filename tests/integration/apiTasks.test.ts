import { randomUUID } from 'node:crypto'
import type { FastifyInstance } from 'fastify'
import { afterAll, beforeAll, beforeEach, describe, expect, test } from 'vitest'
import { createApi } from '../../api/server.ts'
import { newApiToken } from '../../core/people/apiTokens.ts'
import { openTestControl, type TestControl } from '../support/control.ts'
import { newDatabase, type TestDatabase } from '../support/database.ts'
import { addMachine } from '../support/fleet.ts'

/* The task endpoints, over HTTP: what programs and outside agents do. */

let database: TestDatabase
let control: TestControl
let app: FastifyInstance
let url: string
let agentToken: string
let agent: string

beforeAll(async () => {
  database = await newDatabase()
  control = await openTestControl({ databaseUrl: database.url })
  app = createApi({ ...control.deps, controlKey: control.controlKey, botReady: () => true })
  url = await app.listen({ host: '127.0.0.1', port: 0 })
  agentToken = await newApiToken(control.deps.db, 'puller', ['agent'])
  await addMachine(control.deps, { name: 'laptop' })
})
afterAll(async () => {
  await app?.close()
  await control?.close()
  await database?.drop()
})
beforeEach(() => {
  agent = `agent-${randomUUID().slice(0, 8)}`
})

type Json = ReturnType<typeof JSON.parse>
async function call(method: string, path: string, body?: object, token = control.secrets.apiToken) {
  const answer = await fetch(`${url}/v1${path}`, {
    method,
    headers: { authorization: `Bearer ${token}`, ...(body ? { 'content-type': 'application/json' } : {}) },
    ...(body ? { body: JSON.stringify(body) } : {}),
  })
  const text = await answer.text()
  return { status: answer.status, json: (text ? JSON.parse(text) : null) as Json }
}
const post = (path: string, body: object, token?: string) => call('POST', path, body, token)
const pulled = (more: object = {}) => ({ action: 'noop', dispatch: 'pull', agent_id: agent, ...more })
const enqueue = (more: object = {}) => post('/tasks/enqueue', pulled(more))

describe('the way of a pulled task', () => {
  test('enqueue, next, claim, start, heartbeat, complete', async () => {
    const made = await enqueue({ priority: 5 })
    expect(made).toMatchObject({ status: 201, json: { status: 'queued', approval_id: null } })
    const id = made.json.task_id
    const next = await call('GET', `/tasks/next?agent_id=${agent}`)
    expect(next).toMatchObject({ status: 200, json: { task_id: id } })
    const claim = await post('/tasks/claim', { agent_id: agent }, agentToken)
    expect(claim).toMatchObject({ status: 200, json: { task: { task_id: id, status: 'claimed' } } })
    expect((await post('/tasks/claim', { agent_id: agent }, agentToken)).status).toBe(204)
    expect((await call('GET', `/tasks/next?agent_id=${agent}`)).status).toBe(204)
    const holder = { agent_id: agent, claim_token: claim.json.claim_token }
    for (const [path, status] of [
      ['start', 'running'],
      ['heartbeat', 'running'],
    ])
      expect(await post(`/tasks/${id}/${path}`, holder, agentToken)).toMatchObject({
        status: 200,
        json: { status },
      })
    const end = { ...holder, status: 'succeeded', result: { rows: 3 } }
    expect((await post(`/tasks/${id}/complete`, end, agentToken)).json).toMatchObject({ status: 'succeeded' })
    expect((await post(`/tasks/${id}/complete`, end, agentToken)).json).toMatchObject({ repeated: true })
    const task = (await call('GET', `/tasks/${id}`)).json
    expect(task).toMatchObject({ status: 'succeeded', result: { summary: '{"rows":3}' } })
    expect(task.attempts).toMatchObject([{ number: 1, status: 'exited', agent_name: agent }])
  })

  test('a token that is not the task’s is 409 CLAIM_LOST, an unknown task 404, one that is taken 409', async () => {
    const { json } = await enqueue()
    const taken = await post('/tasks/claim', { agent_id: agent, task_id: json.task_id }, agentToken)
    expect(taken.status).toBe(200)
    const again = await post('/tasks/claim', { agent_id: agent, task_id: json.task_id }, agentToken)
    expect(again).toMatchObject({ status: 409, json: { error: { code: 'TASK_NOT_CLAIMABLE' } } })
    const forged = { agent_id: agent, claim_token: 'x'.repeat(32) }
    for (const path of ['start', 'heartbeat', 'release'])
      expect(await post(`/tasks/${json.task_id}/${path}`, forged, agentToken)).toMatchObject({
        status: 409,
        json: { error: { code: 'CLAIM_LOST' } },
      })
    expect((await post(`/tasks/${randomUUID()}/start`, forged, agentToken)).status).toBe(404)
    expect((await post('/tasks/claim', { agent_id: agent, task_id: randomUUID() }, agentToken)).status).toBe(
      404,
    )
  })
})

describe('enqueue', () => {
  test('answers the first task for its id', async () => {
    const task_id = randomUUID()
    const first = await enqueue({ task_id })
    const second = await enqueue({ task_id, priority: 9 })
    expect([first.status, second.status]).toEqual([201, 200])
    expect(second.json).toMatchObject({ task_id, run_id: first.json.run_id, task: { priority: 0 } })
  })

  test('is 202 and held where policy asks, 403 with the verdict where it denies', async () => {
    const held = await enqueue({ action: 'shell', params: { command: 'touch x' }, cwd: '/w' })
    expect(held).toMatchObject({ status: 202, json: { status: 'held', verdict: { verdict: 'ask' } } })
    expect(held.json.approval_id).toMatch(/^[0-9a-f-]{36}$/)
    const denied = await enqueue({ action: 'shell', params: { command: 'rm -rf /' } })
    expect(denied).toMatchObject({
      status: 403,
      json: { error: { code: 'POLICY_DENIED', details: { verdict: 'deny', rule: 'floor.delete-root' } } },
    })
  })

  test('what a program asked for, its own token does not approve', async () => {
    const own = await newApiToken(control.deps.db, 'asker', ['operate', 'read'])
    const other = await newApiToken(control.deps.db, 'decider', ['operate', 'read'])
    const body = pulled({ action: 'shell', params: { command: 'touch x' }, cwd: '/w' })
    const held = (await post('/tasks/enqueue', body, own)).json
    const { plan_hash } = held.task
    const path = `/approvals/${held.approval_id}/decide`
    expect(await post(path, { decision: 'approve', plan_hash }, own)).toMatchObject({
      status: 403,
      json: { error: { code: 'OWN_REQUEST' } },
    })
    expect((await post(path, { decision: 'approve', plan_hash }, other)).status).toBe(200)
    expect((await call('GET', `/tasks/${held.task_id}`)).json.status).toBe('queued')
  })

  test('takes a graph at once, and says which field is wrong', async () => {
    const [a, b] = [randomUUID(), randomUUID()]
    const graph = await post('/tasks/enqueue', {
      tasks: [pulled({ task_id: b, dependencies: [a] }), pulled({ task_id: a })],
    })
    expect(graph.status).toBe(201)
    expect(graph.json.tasks.map((task: Json) => task.status)).toEqual(['blocked', 'queued'])
    expect(graph.json.tasks[0].dependencies).toEqual([a])
    const cycle = { tasks: [pulled({ task_id: randomUUID() })] }
    Object.assign(cycle.tasks[0] ?? {}, { dependencies: [(cycle.tasks[0] as Json).task_id] })
    expect(await post('/tasks/enqueue', cycle)).toMatchObject({
      status: 422,
      json: { error: { code: 'CYCLE' } },
    })
    expect(await enqueue({ dependencies: [randomUUID()] })).toMatchObject({
      status: 422,
      json: { error: { code: 'UNKNOWN_DEPENDENCY' } },
    })
    expect((await enqueue({ priority: 'high' })).json.error.message).toMatch(/^priority: /)
    expect((await enqueue({ action: 'shell' })).json.error.message).toMatch(/^params.command: /)
    expect((await enqueue({ run_id: randomUUID() })).status).toBe(404)
  })

  test('execute answers 202 with run and task', async () => {
    const done = await post('/execute', {
      action: 'shell',
      params: { command: 'git status' },
      agent_id: 'laptop',
    })
    expect(done).toMatchObject({ status: 202, json: { status: 'queued', task: { dispatch: 'push' } } })
    expect(await post('/execute', { action: 'noop', machine_id: 'elsewhere' })).toMatchObject({ status: 422 })
  })
})

describe('listing', () => {
  test('pages neither skip nor repeat while tasks arrive', async () => {
    const mine = new Set<string>()
    for (let i = 0; i < 12; i++) mine.add((await enqueue()).json.task_id)
    const seen: string[] = []
    let cursor: string | null = null
    do {
      const page: Json = await call(
        'GET',
        `/tasks?agent_id=${agent}&limit=5${cursor ? `&cursor=${cursor}` : ''}`,
      )
      expect(page.status).toBe(200)
      seen.push(...page.json.tasks.map((task: Json) => task.task_id))
      cursor = page.json.next_cursor
      await enqueue()
    } while (cursor)
    expect(seen).toHaveLength(new Set(seen).size)
    expect(seen.filter((id) => mine.has(id))).toHaveLength(12)
    expect((await call('GET', '/tasks?cursor=nonsense')).status).toBe(400)
    expect((await call('GET', '/tasks?status=odd')).status).toBe(400)
  })

  test('an agent’s token pulls and does no more', async () => {
    expect((await call('GET', '/tasks', undefined, agentToken)).status).toBe(403)
    expect((await post('/tasks/enqueue', pulled(), agentToken)).status).toBe(403)
    expect((await call('GET', `/tasks/next?agent_id=${agent}`, undefined, agentToken)).status).toBe(204)
  })
})
