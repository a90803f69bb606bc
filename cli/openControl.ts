import { createPrivateKey } from 'node:crypto'
import { type ControlConfig, parseControlConfig } from '../core/config/control.ts'
import { createLogger } from '../core/config/logger.ts'
import { readModelSettings } from '../core/config/model.ts'
import { openSecrets, type Secrets } from '../core/config/secrets.ts'
import type { Env } from '../core/config/settings.ts'
import type { Deps } from '../core/deps.ts'
import { openModel } from '../core/llm/openModel.ts'
import { setApiToken } from '../core/people/apiTokens.ts'
import { loadPlaybooks } from '../core/planning/loadPlaybooks.ts'
import { loadPolicy } from '../core/policy/loadPolicy.ts'
import { publicKeyOf } from '../core/protocol/grants.ts'
import { type OpenQueue, openQueue } from '../core/queue/openQueue.ts'
import { redactor } from '../core/redaction/redact.ts'
import { migrate } from '../core/storage/migrate.ts'
import { type Database, openDatabase } from '../core/storage/openDatabase.ts'
import { makeDataDir, openStorage } from './openStorage.ts'
import { reachRedis } from './reachRedis.ts'

const POOL_SIZE = 16

export type Control = {
  config: ControlConfig
  secrets: Secrets
  deps: Deps
  queue: OpenQueue
  controlKey: string
  databaseUrl: string
  redact: (text: string) => string
  close(): Promise<void>
}

/** Secret values that no line of a log may hold. */
export const secretValues = (config: ControlConfig, secrets: Secrets, env: Env): string[] =>
  [
    ...Object.values(secrets),
    config.telegram.kind === 'playground' ? '' : config.telegram.token,
    config.apiToken ?? '',
    config.gatewayToken ?? '',
    ...Object.entries(env)
      .filter(([name]) => /(_KEY|_TOKEN|_PASSWORD|_SECRET)$/.test(name))
      .map(([, value]) => value ?? ''),
  ].filter((value) => value.length >= 8 && !value.includes('\n'))

/** Opens all that the control plane's parts share: settings, secrets, database (migrated), queue, bus, policy, playbooks. */
export async function openControl(env: Env, name: string): Promise<Control> {
  const config = parseControlConfig(env)
  const modelSettings = readModelSettings(env)
  await makeDataDir(config.dataDir)
  const [policy, playbooks, secrets] = await Promise.all([
    loadPolicy(config.policyFile),
    loadPlaybooks(config.playbooksDir),
    openSecrets(config.dataDir),
  ])
  const values = secretValues(config, secrets, env)
  const log = createLogger(name, config.logLevel, values)
  const storage = await openStorage(config, log)
  try {
    const applied = await migrate(storage.url)
    if (applied.length > 0) log.info(`database migrated: ${applied.join(', ')}`)
    const db = openDatabase({ url: storage.url, poolSize: POOL_SIZE, log })
    const queue = await openOwnQueue(config, storage.url, db, log)
    await setApiToken(db, 'installation', config.apiToken ?? secrets.api_token, ['admin'])
    await setApiToken(db, 'gateway', secrets.gateway_api_token, ['gateway'])
    const deps: Deps = {
      db,
      bus: queue.bus,
      wake: queue.wake,
      log,
      clock: { now: () => new Date() },
      policy,
      playbooks,
      model: await openModel(modelSettings),
      signingKey: createPrivateKey(secrets.signing_key),
      gatewayToken: config.gatewayToken ?? secrets.gateway_token,
      settings: {
        approvalTtlMs: config.approvalTtlMs,
        unreachableAfterMs: config.unreachableAfterMs,
        denyPaths: [config.dataDir],
      },
    }
    return {
      config,
      secrets,
      deps,
      queue,
      controlKey: publicKeyOf(secrets.signing_key),
      databaseUrl: storage.url,
      redact: redactor(values),
      close: async () => {
        await queue.close()
        await db.close()
        await storage.stop()
      },
    }
  } catch (error) {
    await storage.stop()
    throw error
  }
}

async function openOwnQueue(
  config: ControlConfig,
  databaseUrl: string,
  db: Database,
  log: Deps['log'],
): Promise<OpenQueue> {
  if (config.redisUrl === null) return openQueue({ db, log }, { kind: 'postgres', url: databaseUrl })
  await reachRedis(config.redisUrl)
  return openQueue({ db, log }, { kind: 'redis', url: config.redisUrl })
}
