import { createPrivateKey, randomBytes, randomUUID } from 'node:crypto'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { parseControlConfig } from '../../core/config/control.ts'
import { createLogger, type Logger } from '../../core/config/logger.ts'
import type { Clock, Deps } from '../../core/deps.ts'
import type { Model } from '../../core/llm/model.ts'
import { openMemory } from '../../core/memory/openMemory.ts'
import { setApiToken } from '../../core/people/apiTokens.ts'
import { loadPlaybooks } from '../../core/planning/loadPlaybooks.ts'
import { loadPolicy } from '../../core/policy/loadPolicy.ts'
import { newSigningKey, publicKeyOf } from '../../core/protocol/grants.ts'
import { type OpenQueue, openQueue, type QueueBackend } from '../../core/queue/openQueue.ts'
import { redactor } from '../../core/redaction/redact.ts'
import { openDatabase } from '../../core/storage/openDatabase.ts'

/*
 * What the control plane's parts share, as cli/openControl.ts makes it, but on a database of a test:
 *
 *   const control = await openTestControl({ databaseUrl: database.url })
 *   const { db, wake } = control.deps
 *   await control.close()
 *
 * Two controls on one database are two processes as far as the ledger can tell; give both the same `secrets`.
 */

export type TestSecrets = {
  signingKey: string
  gatewayToken: string
  gatewayApiToken: string
  apiToken: string
  botToken: string
}

export const newSecrets = (): TestSecrets => ({
  signingKey: newSigningKey().privatePem,
  gatewayToken: randomBytes(32).toString('base64url'),
  gatewayApiToken: randomBytes(32).toString('base64url'),
  apiToken: randomBytes(32).toString('base64url'),
  botToken: `1000000001:${randomBytes(40).toString('base64url').slice(0, 35)}`,
})

export type ControlOptions = {
  databaseUrl: string
  /** Default: BullMQ on the database. */
  redisUrl?: string | null
  secrets?: TestSecrets
  settings?: Partial<Deps['settings']>
  model?: Model | null
  /** Default: on. */
  memory?: boolean
  clock?: Clock
  poolSize?: number
  log?: Logger
}

export type TestControl = {
  deps: Deps
  queue: OpenQueue
  secrets: TestSecrets
  /** The public key that agents pin. */
  controlKey: string
  redact(text: string): string
  close(): Promise<void>
}

/** Says errors only, unless TEST_LOG names another level. */
export const testLog = createLogger('test', process.env.TEST_LOG ?? 'error')

const fixed = Promise.all([loadPolicy(null), loadPlaybooks(null)])

/** What controls of one test file keep outside the ledger; numbers of processes come again, and with them what was left. */
const dir = join(tmpdir(), `skynet-control-${randomUUID()}`)

export async function openTestControl(options: ControlOptions): Promise<TestControl> {
  const { databaseUrl, redisUrl, secrets = newSecrets(), log = testLog } = options
  const [policy, playbooks] = await fixed
  const db = openDatabase({ url: databaseUrl, poolSize: options.poolSize ?? 10, log })
  const backend: QueueBackend = redisUrl
    ? { kind: 'redis', url: redisUrl }
    : { kind: 'postgres', url: databaseUrl }
  const redact = redactor(Object.values(secrets))
  const queue = await openQueue({ db, log, redact }, backend)
  await setApiToken(db, 'installation', secrets.apiToken, ['admin'])
  await setApiToken(db, 'gateway', secrets.gatewayApiToken, ['gateway'])
  const deps: Deps = {
    db,
    bus: queue.bus,
    wake: queue.wake,
    log,
    clock: options.clock ?? { now: () => new Date() },
    policy,
    playbooks,
    model: options.model ?? null,
    memory: options.memory === false ? null : await openMemory({ db, log, max: 50_000 }),
    signingKey: createPrivateKey(secrets.signingKey),
    gatewayToken: secrets.gatewayToken,
    redact,
    settings: {
      approvalTtlMs: 86_400_000,
      approvalQuorum: 1,
      fourEyes: false,
      unreachableAfterMs: 600_000,
      recovery: { ...parseControlConfig({}).recovery, hasModel: (options.model ?? null) !== null },
      denyPaths: [],
      // No limit, unless a test is about it.
      chatPerMinute: 1e6,
      headsFile: join(dir, 'heads'),
      archiveDir: join(dir, 'archive'),
      retention: parseControlConfig({}).retention,
      skills: { dir: null, urls: [], hosts: [] },
      ...options.settings,
    },
  }
  return {
    deps,
    queue,
    secrets,
    controlKey: publicKeyOf(secrets.signingKey),
    redact: deps.redact,
    close: async () => {
      await queue.close()
      await db.close()
    },
  }
}
