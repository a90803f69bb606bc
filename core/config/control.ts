import { resolve } from 'node:path'
import { z } from 'zod'
import type { Retention } from '../deps.ts'
import { namesOf } from '../doors/judgeCall.ts'
import { type Limits, recoveryModes } from '../recovery/ladder.ts'
import type { SkillSources } from '../skills/sources.ts'
import { defaultDataDir } from './agent.ts'
import {
  ConfigError,
  duration,
  type Env,
  flag,
  logLevel,
  MB,
  megabytes,
  port,
  readSettings,
  urlOf,
  urlsOf,
  wholeNumber,
} from './settings.ts'

const DAY_MS = 86_400_000

/** Names of hosts, separated by commas. */
const hostNames = z
  .string()
  .transform((s) =>
    s
      .split(',')
      .map((part) => part.trim().toLowerCase())
      .filter(Boolean),
  )
  .refine(
    (names) => names.every((name) => /^[a-z0-9-]+(?:\.[a-z0-9-]+)+$/.test(name)),
    'names of hosts such as skills.example.org, with commas between them',
  )

const table = {
  SKYNET_DATA_DIR: z.string().optional(),
  TELEGRAM_BOT_TOKEN: z
    .string()
    .regex(/^\d{6,12}:[A-Za-z0-9_-]{30,60}$/, 'the token BotFather gave, such as 123456789:AA...')
    .optional(),
  TELEGRAM_API_ROOT: urlOf('http', 'https').default('https://api.telegram.org'),
  TELEGRAM_OWNER_IDS: z
    .string()
    .regex(/^\s*\d{1,15}(\s*,\s*\d{1,15})*\s*$/, 'numeric Telegram user ids with commas between them')
    .transform((s) => s.split(',').map(Number))
    .default([]),
  TELEGRAM_WEBHOOK_URL: urlOf('https', 'http').optional(),
  TELEGRAM_WEBHOOK_SECRET: z
    .string()
    .regex(/^[A-Za-z0-9_-]{16,256}$/, '16 to 256 letters, digits, _ or -')
    .optional(),
  SKYNET_CHAT_PER_MINUTE: wholeNumber(1, 1_000_000).default(60),
  SKYNET_WEBHOOK_HOST: z.string().default('127.0.0.1'),
  SKYNET_WEBHOOK_PORT: port.default(8443),
  DATABASE_URL: urlOf('postgresql', 'postgres').optional(),
  REDIS_URL: urlOf('redis', 'rediss').optional(),
  SKYNET_HTTP_HOST: z.string().default('127.0.0.1'),
  SKYNET_HTTP_PORT: port.default(8080),
  SKYNET_API_URL: urlOf('http', 'https').optional(),
  SKYNET_PLAYGROUND_PORT: port.default(8081),
  SKYNET_API_TOKEN: z.string().min(16, 'at least 16 characters').optional(),
  SKYNET_GATEWAY_TOKEN: z.string().min(16, 'at least 16 characters').optional(),
  SKYNET_APPROVAL_TTL: duration.default(86_400_000),
  SKYNET_APPROVAL_QUORUM: wholeNumber(1, 9).default(1),
  SKYNET_FOUR_EYES: flag.default(false),
  SKYNET_UNREACHABLE_AFTER: duration.default(600_000),
  SKYNET_RECOVERY: z.enum(recoveryModes, 'auto, retry or off').default('auto'),
  SKYNET_RECOVERY_TRIES: wholeNumber(1, 20).default(4),
  SKYNET_RECOVERY_BUDGET: wholeNumber(0, 10_000_000).default(50_000),
  SKYNET_RECOVERY_TIME: duration.default(3_600_000),
  SKYNET_KEEP_EVENTS: duration.default(90 * DAY_MS),
  SKYNET_KEEP_LOGS: duration.default(30 * DAY_MS),
  SKYNET_ARCHIVE_AFTER: duration.default(7 * DAY_MS),
  SKYNET_MAX_EVENTS_MB: megabytes.default(2048 * MB),
  SKYNET_MAX_LOGS_MB: megabytes.default(2048 * MB),
  SKYNET_MAX_ARCHIVE_MB: megabytes.default(2048 * MB),
  SKYNET_POLICY_FILE: z.string().optional(),
  SKYNET_PLAYBOOKS_DIR: z.string().optional(),
  SKYNET_MEMORY_ENABLED: flag.default(true),
  SKYNET_MEMORY_MAX: wholeNumber(100, 10_000_000).default(50_000),
  SKYNET_EMBEDDINGS: z.enum(['auto', 'off', 'gemini', 'openai', 'ollama']).default('auto'),
  SKYNET_EMBEDDING_MODEL: z.string().max(200).optional(),
  SKYNET_EXTERNAL_SKILLS_DIR: z.string().optional(),
  SKYNET_EXTERNAL_SKILL_URLS: urlsOf('https').default([]),
  SKYNET_SKILL_HOSTS: hostNames.default([]),
  SKYNET_LOG_LEVEL: logLevel.default('info'),
}

/** Every setting of the control plane, by name. */
export const controlSettings: readonly string[] = Object.keys(table)

/** Where updates come from and messages go to. */
export type TelegramConfig =
  | { kind: 'playground'; port: number }
  | { kind: 'polling'; token: string; apiRoot: string }
  | {
      kind: 'webhook'
      token: string
      apiRoot: string
      url: string
      secret: string
      host: string
      port: number
    }

export type MemorySettings = {
  /** Memories that are kept, at most. */
  max: number
  /** `auto`: the first of the language models' providers that has an embeddings endpoint; model null: its usual one. */
  embeddings: { provider: 'auto' | 'off' | 'gemini' | 'openai' | 'ollama'; model: string | null }
}

export type ControlConfig = {
  dataDir: string
  telegram: TelegramConfig
  ownerIds: readonly number[]
  database: { kind: 'embedded' } | { kind: 'external'; url: string }
  redisUrl: string | null
  /** `names`: host names of its public address. */
  http: { host: string; port: number; names: readonly string[] }
  apiToken: string | null
  gatewayToken: string | null
  approvalTtlMs: number
  /** Messages and taps that one person may send in a minute. */
  chatPerMinute: number
  /** How many different people must approve what is of critical risk. */
  approvalQuorum: number
  /** Who asked, or rewrote the plan, cannot approve it. */
  fourEyes: boolean
  unreachableAfterMs: number
  recovery: Limits
  retention: Retention
  policyFile: string | null
  playbooksDir: string | null
  /** Null: switched off. */
  memory: MemorySettings | null
  skills: SkillSources
  logLevel: string
}

/** The control plane's settings, from an environment. Pure. Throws ConfigError with one line. */
export function parseControlConfig(env: Env): ControlConfig {
  const s = readSettings(table, env)
  return {
    dataDir: resolve(s.SKYNET_DATA_DIR ?? defaultDataDir(env)),
    telegram: telegramOf(s),
    ownerIds: s.TELEGRAM_OWNER_IDS,
    database: s.DATABASE_URL ? { kind: 'external', url: s.DATABASE_URL } : { kind: 'embedded' },
    redisUrl: s.REDIS_URL ?? null,
    http: { host: s.SKYNET_HTTP_HOST, port: s.SKYNET_HTTP_PORT, names: namesOf([s.SKYNET_API_URL]) },
    apiToken: s.SKYNET_API_TOKEN ?? null,
    gatewayToken: s.SKYNET_GATEWAY_TOKEN ?? null,
    approvalTtlMs: s.SKYNET_APPROVAL_TTL,
    chatPerMinute: s.SKYNET_CHAT_PER_MINUTE,
    approvalQuorum: s.SKYNET_APPROVAL_QUORUM,
    fourEyes: s.SKYNET_FOUR_EYES,
    unreachableAfterMs: s.SKYNET_UNREACHABLE_AFTER,
    recovery: {
      mode: s.SKYNET_RECOVERY,
      tries: s.SKYNET_RECOVERY_TRIES,
      tokens: s.SKYNET_RECOVERY_BUDGET,
      ms: s.SKYNET_RECOVERY_TIME,
    },
    retention: {
      eventsMs: s.SKYNET_KEEP_EVENTS,
      eventsMaxBytes: s.SKYNET_MAX_EVENTS_MB,
      logsMs: s.SKYNET_KEEP_LOGS,
      archiveAfterMs: s.SKYNET_ARCHIVE_AFTER,
      logsMaxBytes: s.SKYNET_MAX_LOGS_MB,
      archiveMaxBytes: s.SKYNET_MAX_ARCHIVE_MB,
    },
    policyFile: s.SKYNET_POLICY_FILE ?? null,
    playbooksDir: s.SKYNET_PLAYBOOKS_DIR ?? null,
    memory: s.SKYNET_MEMORY_ENABLED
      ? {
          max: s.SKYNET_MEMORY_MAX,
          embeddings: { provider: s.SKYNET_EMBEDDINGS, model: s.SKYNET_EMBEDDING_MODEL ?? null },
        }
      : null,
    skills: skillsOf(s),
    logLevel: s.SKYNET_LOG_LEVEL,
  }
}

type Settings = ReturnType<typeof readSettings<typeof table>>

/** A host whose address is set is listed by that. */
const skillsOf = (s: Settings): SkillSources => ({
  dir: s.SKYNET_EXTERNAL_SKILLS_DIR ? resolve(s.SKYNET_EXTERNAL_SKILLS_DIR) : null,
  urls: [...new Set(s.SKYNET_EXTERNAL_SKILL_URLS)],
  hosts: [
    ...new Set([
      ...s.SKYNET_SKILL_HOSTS,
      ...s.SKYNET_EXTERNAL_SKILL_URLS.map((url) => new URL(url).hostname),
    ]),
  ],
})

function telegramOf(s: Settings): TelegramConfig {
  const token = s.TELEGRAM_BOT_TOKEN
  if (!token) return { kind: 'playground', port: s.SKYNET_PLAYGROUND_PORT }
  const apiRoot = s.TELEGRAM_API_ROOT
  if (!s.TELEGRAM_WEBHOOK_URL) return { kind: 'polling', token, apiRoot }
  if (!s.TELEGRAM_WEBHOOK_SECRET)
    throw new ConfigError(
      'TELEGRAM_WEBHOOK_SECRET: got nothing; with TELEGRAM_WEBHOOK_URL it takes 16 to 256 letters, digits, _ or -.',
    )
  return {
    kind: 'webhook',
    token,
    apiRoot,
    url: s.TELEGRAM_WEBHOOK_URL,
    secret: s.TELEGRAM_WEBHOOK_SECRET,
    host: s.SKYNET_WEBHOOK_HOST,
    port: s.SKYNET_WEBHOOK_PORT,
  }
}
