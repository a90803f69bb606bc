/*
 * A process that makes memories of events for as long as it lives, for tests that kill it:
 * `node memoryReader.ts DATABASE_URL`. It says `idle` whenever it has read all there is.
 */
import { setTimeout as delay } from 'node:timers/promises'
import { createLogger } from '../../core/config/logger.ts'
import { openMemory } from '../../core/memory/openMemory.ts'
import { rememberOnce } from '../../core/memory/rememberOnce.ts'
import { openDatabase } from '../../core/storage/openDatabase.ts'

const log = createLogger('reader', 'error')
const db = openDatabase({ url: process.argv[2] ?? '', poolSize: 2, log })
const memory = await openMemory({ db, log, max: 1000 })
for (;;) {
  await rememberOnce({ db, log, memory, redact: (text) => text })
  process.stdout.write('idle\n')
  await delay(5)
}
