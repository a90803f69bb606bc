import pg from 'pg'
import { messageOf } from '../../core/config/logger.ts'
import type { Env } from '../../core/config/settings.ts'
import { type Sql, sqlOf } from '../../core/storage/sql.ts'
import { type AllSettings, listeners } from '../checkSettings.ts'
import { localUrl } from '../localUrl.ts'
import { runningUrl } from '../openStorage.ts'
import { checkAgents, checkGateways } from './checkFleet.ts'
import { checkClock, checkDatabase, checkQueue, withDatabase } from './checkLedger.ts'
import { checkApi, checkDisk, checkPlaces } from './checkMachine.ts'
import { checkJoined, checkOwnAgent, isAgentOnly } from './checkOwnAgent.ts'
import { checkModelUse, checkProviders } from './checkProviders.ts'
import { checkSettingsFile } from './checkSettingsFile.ts'
import { checkSkills } from './checkSkills.ts'
import { checkTelegram } from './checkTelegram.ts'
import { type Finding, summary, tellFinding, together, wrong } from './finding.ts'

/** `skynet doctor`: looks at everything and changes nothing. Exit code 1 when something is wrong. */
export async function doctorCommand(env: Env): Promise<void> {
  const findings = await examine(env)
  for (const finding of findings) console.log(tellFinding(finding))
  console.log(`\n${summary(findings)}`)
  process.exitCode = findings.some((finding) => finding.kind === 'wrong') ? 1 : 0
}

/** Everything that a working installation needs, each with what was found. Never throws for what it examines. */
export async function examine(env: Env): Promise<Finding[]> {
  const { settings, found } = await checkSettingsFile(env)
  if (!settings) return found
  if (await isAgentOnly(settings))
    return [...found, ...(await checkJoined(settings.agent)), await checkDisk(settings)]
  const { host, port } = settings.control.http
  const [ports, telegram, providers, disk, api] = await Promise.all([
    checkPlaces(listeners(settings)),
    checkTelegram(settings.control),
    checkProviders(env),
    checkDisk(settings),
    checkApi(localUrl(host, port)),
  ])
  const ledger = await examineLedger(settings, telegram.outsideMs)
  const uses = ledger.filter(({ what }) => what === 'providers')
  const others = ledger.filter(({ what }) => what !== 'providers')
  return together([...found, ...ports, api, ...others, telegram.found, ...providers, ...uses, disk])
}

async function examineLedger(settings: AllSettings, outsideMs: number | null): Promise<Finding[]> {
  const { control } = settings
  const { database, dataDir } = control
  const url = database.kind === 'external' ? database.url : await runningUrl(dataDir)
  if (url === null)
    return [
      wrong(
        'database',
        'the embedded PostgreSQL does not run',
        `Start SKYNET (\`npm start\`); if it does not come up, see ${dataDir}/postgres/postgres.log.`,
      ),
    ]
  const pool = new pg.Pool({ connectionString: url, max: 2, connectionTimeoutMillis: 5000 })
  pool.on('error', () => {})
  try {
    await pool.query('SELECT 1')
    return await examineRows(settings, sqlOf(pool), outsideMs)
  } catch (error) {
    const why = messageOf(error instanceof AggregateError ? error.errors[0] : error)
    const mend =
      database.kind === 'external'
        ? 'Start it, or correct DATABASE_URL.'
        : `See ${dataDir}/postgres/postgres.log.`
    return [wrong('database', `it does not answer (${why})`, mend)]
  } finally {
    await pool.end().catch(() => {})
  }
}

async function examineRows(
  { control, agent }: AllSettings,
  db: Sql,
  outsideMs: number | null,
): Promise<Finding[]> {
  const database = await checkDatabase(control, db)
  if (database.kind === 'wrong') return [database]
  return [
    database,
    await withDatabase('queue', () => checkQueue(control, db)),
    ...(await checkGateways(db)),
    ...(await checkAgents(db)),
    ...(await checkOwnAgent(db, agent)),
    ...(await checkSkills(control, db)),
    await withDatabase('clock', () => checkClock(db, outsideMs)),
    ...(await checkModelUse(db)),
  ]
}
