import { afterAll, beforeAll, expect, test } from 'vitest'
import { newApiToken } from '../../../core/people/apiTokens.ts'
import { setEntitlement } from '../../../core/people/entitlements.ts'
import { openTestApi, type TestApi } from '../../support/api.ts'
import { addMachine, addPerson } from '../../support/fleet.ts'
import { putMemory } from '../../support/memories.ts'

let api: TestApi
beforeAll(async () => {
  api = await openTestApi()
})
afterAll(() => api?.close())
const deps = () => api.control.deps

test('what a program stores is found, is like its like, counts once, and is gone once forgotten', async () => {
  const store = (text: string) => api.post('/v1/memory/store', { text }, { token: api.tokens.operate })
  const { status, body } = await store('The docs are built by make docs.')
  expect(status).toBe(201)
  expect((await store('the docs are built by  make docs.')).body.id).toBe(body.id)
  await store('The website docs are built by make site.')
  const found = await api.post('/v1/memory/search', { text: 'build the docs' }, { token: api.tokens.read })
  expect(found.body.memories).toHaveLength(2)
  expect(found.body.memories[0]).toMatchObject({ id: body.id, kind: 'fact', outside: true, times: 2 })
  const like = await api.post('/v1/memory/similar', { id: body.id, limit: 3 }, { token: api.tokens.read })
  expect(like.body.memories.map(({ text }: { text: string }) => text)).toEqual([
    'The website docs are built by make site.',
  ])
  const { body: stats } = await api.get('/v1/memory/stats')
  expect(stats).toMatchObject({
    enabled: true,
    total: 2,
    kinds: { fact: 2 },
    search: ['text'],
    embeddings: null,
  })
  expect((await api.post(`/v1/memory/${body.id}/forget`, undefined)).status).toBe(200)
  expect((await api.post(`/v1/memory/${body.id}/forget`, undefined)).status).toBe(404)
  expect((await api.post('/v1/memory/similar', { id: body.id })).status).toBe(404)
})

test('a secret is not kept', async () => {
  const token = `ghp_${'a1B2c3D4e5F6'.repeat(3)}`
  const { body } = await api.post('/v1/memory/store', { text: `the token is ${token}` })
  const rows = await deps().db.query('SELECT text, words::text FROM memory WHERE id = $1', [body.id])
  expect(JSON.stringify(rows).toLowerCase()).not.toContain(token.toLowerCase())
})

test('a person with some machines sees and stores nothing of others, and forgets only what is theirs', async () => {
  const [mine, other] = [await addMachine(deps()), await addMachine(deps())]
  const person = await addPerson(deps(), 'operator')
  await deps().db.tx((tx) =>
    setEntitlement(tx, person, { kind: 'machine', target: mine.agentId, on: true }, null),
  )
  const token = await newApiToken(deps().db, 'some', ['read', 'operate'], person)
  const there = await putMemory(deps(), { text: 'The kettle is on.', agentId: other.agentId })
  const here = await putMemory(deps(), { text: 'The kettle is off.', agentId: mine.agentId })
  const { body } = await api.post('/v1/memory/search', { text: 'kettle' }, { token })
  expect(body.memories.map(({ id }: { id: number }) => id)).toEqual([here])
  const on = (agent_id: string) =>
    api.post('/v1/memory/store', { text: 'A cup is here.', agent_id }, { token })
  expect((await on(other.agentId)).status).toBe(403)
  const own = await on(mine.agentId)
  expect(own.status).toBe(201)
  expect((await api.post(`/v1/memory/${there}/forget`, undefined, { token })).status).toBe(404)
  expect((await api.post(`/v1/memory/${here}/forget`, undefined, { token })).status).toBe(403)
  expect((await api.post(`/v1/memory/${own.body.id}/forget`, undefined, { token })).status).toBe(200)
})

test('while it is off, it says so', async () => {
  const off = await openTestApi({ memory: false })
  try {
    expect((await off.post('/v1/memory/search', { text: 'docs' })).status).toBe(422)
    expect((await off.post('/v1/memory/store', { text: 'docs' })).body.error.code).toBe('MEMORY_OFF')
    expect((await off.get('/v1/memory/stats')).body).toMatchObject({ enabled: false, total: 0 })
  } finally {
    await off.close()
  }
})
