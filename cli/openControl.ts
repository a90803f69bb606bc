import { createPrivateKey } from 'node:crypto'
import { mkdir } from 'node:fs/promises'
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
import { startEmbeddedPostgres } from '../core/storage/embeddedPostgres.ts'
import { migrate } from '../core/storage/migrate.ts'
import { openDatabase } from '../core/storage/openDatabase.ts'

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

/** The database's URL, the embedded one brought up when no other is named, and what stops it. */
export async function openStorage(config: ControlConfig): Promise<{ url: string; stop(): Promise<void> }> {
  await mkdir(config.dataDir, { recursive: true, mode: 0o700 })
  if (config.database.kind === 'external') return { url: config.database.url, stop: async () => {} }
  return startEmbeddedPostgres(config.dataDir)
}

/** Secret values that no line of a log may hold. */
const secretValues = (config: ControlConfig, secrets: Secrets, env: Env): string[] =>
  [
    ...Object.values(secrets), config.telegram.kind === 'playground' ? '' : config.telegram.token, config.apiToken ?? '', config.gatewayToken ?? '',
    ...Object.entries(env).filter(([name]) => /(_KEY|_TOKEN|_PASSWORD|_SECRET)$/.test(name)).map(([, value]) => value ?? ''),
  ].filter((value) => value.length >= 8 && !value.includes('\n'))

/** Opens all that the control plane's parts share: settings, secrets, database (migrated), queue, bus, policy, playbooks. */
export async function openControl(env: Env, name: string): Promise<Control> {
  const config = parseControlConfig(env)
  const modelSettings = readModelSettings(env)
  const [policy, playbooks, secrets] = await Promise.all([loadPolicy(config.policyFile), loadPlaybooks(config.playbooksDir), openSecrets(config.dataDir)])
  const values = secretValues(config, secrets, env)
  const log = createLogger(name, config.logLevel, values)
  const storage = await openStorage(config)
  const applied = await migrate(storage.url)
  if (applied.length > 0) log.info(`database migrated: ${applied.join(', ')}`)
  const db = openDatabase({ url: storage.url, poolSize: 16, log })
  const queue = await openQueue({ db, log }, config.redisUrl ? { kind: 'redis', url: config.redisUrl } : { kind: 'postgres', url: storage.url })
  await setApiToken(db, 'installation', config.apiToken ?? secrets.api_token, ['admin'])
  await setApiToken(db, 'gateway', secrets.gateway_api_token, ['gateway'])
  const deps: Deps = {
    db, bus: queue.bus, wake: queue.wake, log, clock: { now: () => new Date() }, policy, playbooks, model: await openModel(modelSettings),
    signingKey: createPrivateKey(secrets.signing_key), gatewayToken: config.gatewayToken ?? secrets.gateway_token,
    settings: { approvalTtlMs: config.approvalTtlMs, unreachableAfterMs: config.unreachableAfterMs, denyPaths: [config.dataDir] },
  }
  return {
    config, secrets, deps, queue, controlKey: publicKeyOf(secrets.signing_key), databaseUrl: storage.url, redact: redactor(values),
    close: async () => {
      await queue.close()
      await db.close()
      await storage.stop()
    },
  }
}
