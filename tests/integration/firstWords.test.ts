import { afterAll, beforeAll, expect, test } from 'vitest'
import { readHealth } from '../../core/llm/readHealth.ts'
import { readUsage } from '../../core/llm/readUsage.ts'
import { type Database, openDatabase } from '../../core/storage/openDatabase.ts'
import { testLog } from '../support/control.ts'
import { newDatabase, type TestDatabase } from '../support/database.ts'

let database: TestDatabase
let db: Database
beforeAll(async () => {
  database = await newDatabase()
  db = openDatabase({ url: database.url, poolSize: 4, log: testLog })
})
afterAll(async () => {
  await db.close()
  await database.drop()
})

const called = (ms: number | null, age: string, more: { outcome?: string; purpose?: string } = {}) =>
  db.query(
    `INSERT INTO model_call (id, question_id, provider, model, purpose, need, outcome, first_ms, at, ended_at)
     SELECT gen_random_uuid(), gen_random_uuid(), 'openai', 'm', $3, 'quick', $4, $1::int, t, t FROM (SELECT clock_timestamp() - $2::interval AS t) moment`,
    [ms, age, more.purpose ?? 'plan', more.outcome ?? 'answered'],
  )

test('the time to the first word is the same figure in /usage and in the health of providers', async () => {
  for (const ms of [100, 300, 900]) await called(ms, '1 minute')
  await called(400, '5 hours')
  await called(300, '20 hours')
  await called(90_000, '3 days')
  await called(5, '1 minute', { outcome: 'timeout' })
  await called(1, '1 minute', { purpose: 'embed' })
  await called(null, '1 minute')
  const [used] = (await readUsage(db, 14)).models
  const [health] = await readHealth(db, [{ name: 'openai', models: ['m'] }], Date.now())
  expect([used?.firstMs, health?.each[0]?.firstMs]).toEqual([300, 300])
})
