import { createPrivateKey } from 'node:crypto'
import { join } from 'node:path'
import { setTimeout as delay } from 'node:timers/promises'
import { noteSettings } from '../core/audit/noteSettings.ts'
import {
  type ControlConfig,
  controlSettings,
  type MemorySettings,
  parseControlConfig,
} from '../core/config/control.ts'
import { createLogger, type Logger } from '../core/config/logger.ts'
import { type ProviderSettings, readModelSettings } from '../core/config/model.ts'
import { secretSettings } from '../core/config/secretSettings.ts'
import { openSecrets, type Secrets } from '../core/config/secrets.ts'
import type { Env } from '../core/config/settings.ts'
import type { Deps } from '../core/deps.ts'
import { openModel } from '../core/llm/openModel.ts'
import { ledgerRecords } from '../core/llm/records.ts'
import { openEmbedder } from '../core/memory/openEmbedder.ts'
import { openMemory } from '../core/memory/openMemory.ts'
import { setApiToken } from '../core/people/apiTokens.ts'
import { loadPlaybooks } from '../core/planning/loadPlaybooks.ts'
import type { Playbook } from '../core/planning/playbook.ts'
import { loadPolicy } from '../core/policy/loadPolicy.ts'
import type { Policy } from '../core/policy/policySchema.ts'
import { publicKeyOf } from '../core/protocol/grants.ts'
import { type OpenQueue, openQueue } from '../core/queue/openQueue.ts'
import { redactor } from '../core/redaction/redact.ts'
import { migrate } from '../core/storage/migrate.ts'
import { type Database, openDatabase } from '../core/storage/openDatabase.ts'
import { makeDataDir, openStorage, type Storage } from './openStorage.ts'
import { reachRedis } from './reachRedis.ts'

const POOL_SIZE = 16
/** A pool says that it has ended while its connections still say goodbye; the server waits for them. */
const CLOSING_MS = 100

export type Control = {
  config: ControlConfig
  secrets: Secrets
  deps: Deps
  queue: OpenQueue
  /** The language models that are set up, in the order they are asked. */
  providers: readonly Pick<ProviderSettings, 'name' | 'models'>[]
  controlKey: string
  databaseUrl: string
  redact: (text: string) => string
  close(): Promise<void>
}

/** Secret values that nothing may tell: generated, set, and those that other programs on this machine are set up with. */
const secretValues = (config: ControlConfig, secrets: Secrets, env: Env): string[] =>
  [
    ...Object.values(secrets).filter((value) => typeof value === 'string'),
    config.telegram.kind === 'playground' ? '' : config.telegram.token,
    config.apiToken ?? '',
    config.gatewayToken ?? '',
    ...secretSettings(env),
  ].filter((value) => value.length >= 8)

/** Where the heads of the audit trail are noted, outside the database. */
export const headsFileOf = ({ dataDir }: Pick<ControlConfig, 'dataDir'>): string =>
  join(dataDir, 'audit-heads')

type Rules = { policy: Policy; playbooks: Playbook[] }

/** The database comes up while policy and playbooks are read; it is let go again when they cannot be used. */
async function openBoth(config: ControlConfig, log: Logger): Promise<Rules & { storage: Storage }> {
  const opening = openStorage(config, log)
  // Told below, once it is awaited; until then nobody listens.
  opening.catch(() => {})
  try {
    const policy = await loadPolicy(config.policyFile)
    const playbooks = await loadPlaybooks(config.playbooksDir)
    return { policy, playbooks, storage: await opening }
  } catch (error) {
    await opening.then(
      (storage) => storage.stop(),
      () => {},
    )
    throw error
  }
}

/** Opens all that the control plane's parts share: settings, secrets, database (migrated), queue, bus, policy, playbooks. */
export async function openControl(env: Env, name: string): Promise<Control> {
  const config = parseControlConfig(env)
  const models = readModelSettings(env)
  await makeDataDir(config.dataDir)
  const secrets = await openSecrets(config.dataDir)
  const values = secretValues(config, secrets, env)
  const redact = redactor(values)
  const log = createLogger(name, config.logLevel, values)
  const { policy, playbooks, storage } = await openBoth(config, log)
  try {
    const { db, queue } = await openLedger(config, secrets, storage.url, { log, redact })
    const model = await openModel(models, values, { db, log })
    await noteSettings(db, {
      env,
      names: controlSettings,
      policyVersion: policy.version,
      key: secrets.gateway_token,
    })
    const close = async () => {
      await queue.close()
      await model?.settled?.()
      await db.close()
      await delay(CLOSING_MS)
      await storage.stop()
    }
    const { budgets, prices } = models
    const calls = { budgets, prices, records: ledgerRecords({ db, log }, budgets) }
    const embedderOf = ({ embeddings }: MemorySettings) =>
      openEmbedder(models.providers, embeddings, redact, calls)
    const deps: Deps = {
      ...{ db, log, policy, playbooks, model, bus: queue.bus, wake: queue.wake },
      memory:
        config.memory &&
        (await openMemory({ db, log, max: config.memory.max, embedder: embedderOf(config.memory) })),
      clock: { now: () => new Date() },
      redact,
      signingKey: createPrivateKey(secrets.signing_key),
      keyChain: secrets.key_chain,
      gatewayToken: config.gatewayToken ?? secrets.gateway_token,
      settings: {
        approvalTtlMs: config.approvalTtlMs,
        chatPerMinute: config.chatPerMinute,
        approvalQuorum: config.approvalQuorum,
        fourEyes: config.fourEyes,
        unreachableAfterMs: config.unreachableAfterMs,
        recovery: { ...config.recovery, hasModel: model !== null },
        denyPaths: [config.dataDir],
        archiveDir: join(config.dataDir, 'archive'),
        headsFile: headsFileOf(config),
        skills: config.skills,
        retention: config.retention,
      },
    }
    const controlKey = publicKeyOf(secrets.signing_key)
    return {
      config,
      secrets,
      deps,
      queue,
      providers: models.providers,
      controlKey,
      databaseUrl: storage.url,
      redact: deps.redact,
      close,
    }
  } catch (error) {
    await storage.stop()
    throw error
  }
}

/** The migrated database with the installation's own tokens in it, and the queue that it uses. */
async function openLedger(
  config: ControlConfig,
  secrets: Secrets,
  url: string,
  { log, redact }: Pick<Deps, 'log' | 'redact'>,
): Promise<{ db: Database; queue: OpenQueue }> {
  const applied = await migrate(url)
  if (applied.length > 0) log.info(`database migrated: ${applied.join(', ')}`)
  const db = openDatabase({ url, poolSize: POOL_SIZE, log })
  try {
    await setApiToken(db, 'installation', config.apiToken ?? secrets.api_token, ['admin'])
    await setApiToken(db, 'gateway', secrets.gateway_api_token, ['gateway'])
    return { db, queue: await openOwnQueue({ db, log, redact }, config, url) }
  } catch (error) {
    await db.close()
    throw error
  }
}

async function openOwnQueue(
  deps: Pick<Deps, 'db' | 'log' | 'redact'>,
  config: ControlConfig,
  databaseUrl: string,
): Promise<OpenQueue> {
  if (config.redisUrl === null) return openQueue(deps, { kind: 'postgres', url: databaseUrl })
  await reachRedis(config.redisUrl)
  return openQueue(deps, { kind: 'redis', url: config.redisUrl })
}
