/*
 * A process that acts and seals for as long as it lives, for tests that kill it: `node auditWriter.ts DATABASE_URL`.
 * Writes a line for each act that has committed.
 */
import { randomUUID } from 'node:crypto'
import { setTimeout as delay } from 'node:timers/promises'
import { sealAuditOnce } from '../../core/audit/seal.ts'
import { createLogger } from '../../core/config/logger.ts'
import { newApiToken } from '../../core/people/apiTokens.ts'
import { openDatabase } from '../../core/storage/openDatabase.ts'

const db = openDatabase({ url: process.argv[2] ?? '', poolSize: 4, log: createLogger('writer', 'error') })
const act = async (): Promise<void> => {
  for (;;) {
    const name = `t-${randomUUID()}`
    await db.tx((tx) => newApiToken(tx, name, ['read']))
    process.stdout.write(`${name}\n`)
  }
}
const seal = async (): Promise<void> => {
  for (;;) {
    await sealAuditOnce({ db })
    await delay(2)
  }
}
await Promise.all([act(), act(), seal()])
