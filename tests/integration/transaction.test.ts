import { setTimeout as delay } from 'node:timers/promises'
import { afterAll, beforeAll, expect, test } from 'vitest'
import { type Database, openDatabase } from '../../core/storage/openDatabase.ts'
import { testLog } from '../support/control.ts'
import { newDatabase, type TestDatabase } from '../support/database.ts'

let database: TestDatabase
let db: Database
beforeAll(async () => {
  database = await newDatabase()
  db = openDatabase({ url: database.url, poolSize: 2, log: testLog })
})
afterAll(async () => {
  await db.close()
  await database.drop()
})

const pid = async (sql: Pick<Database, 'query'>): Promise<number> =>
  (await sql.query<{ pid: number }>('SELECT pg_backend_pid() AS pid'))[0]?.pid ?? 0

test('a server that goes away between two statements of a transaction fails that transaction and nothing else', async () => {
  const effects: string[] = []
  const broken = db.tx(async (tx) => {
    tx.afterCommit(() => effects.push('committed'))
    await db.query('SELECT pg_terminate_backend($1)', [await pid(tx)])
    await delay(100) // the connection ends while the transaction does something else
    return pid(tx)
  })
  await expect(broken).rejects.toThrow()
  expect(effects).toEqual([])
  expect(await db.tx(pid)).toBeGreaterThan(0)
})
