import { hostname } from 'node:os'
import { join } from 'node:path'
import { z } from 'zod'
import { defaultDataDir } from './agent.ts'
import { type Env, logLevel, port, readSettings, urlOf, urlsOf } from './settings.ts'

const token = z
  .string('a token of at least 16 characters')
  .min(16, 'a token of at least 16 characters')
  .max(512)

const table = {
  SKYNET_DATA_DIR: z.string().optional(),
  SKYNET_GATEWAY_HOST: z.string().max(255).default('127.0.0.1'),
  SKYNET_GATEWAY_PORT: port.default(8766),
  SKYNET_GATEWAY_NAME: z.string().max(64, 'at most 64 characters').optional(),
  SKYNET_GATEWAY_TOKEN: token,
  SKYNET_GATEWAY_API_TOKEN: token,
  /** An agent on the same machine may be told of several: the first one is this gateway's own. */
  SKYNET_GATEWAY_URL: urlsOf('http', 'https').optional(),
  SKYNET_API_URL: urlOf('http', 'https').default('http://127.0.0.1:8080'),
  SKYNET_LOG_LEVEL: logLevel.default('info'),
  SKYNET_PARENT_STDIN: z.enum(['0', '1'], '0 or 1').default('0'),
}

/** Every setting of a gateway, by name. */
export const gatewaySettings: readonly string[] = Object.keys(table)

export type GatewayConfig = {
  name: string
  /** The gateway's part of the data directory: its stable id. */
  gatewayDir: string
  host: string
  port: number
  /** Bearer of the control plane on every request but health and enrolment. */
  token: string
  /** The gateway's own bearer for the API. */
  apiToken: string
  apiUrl: string
  /** Where the control plane finds this gateway; null: host and port. */
  publicUrl: string | null
  /** All addresses that SKYNET_GATEWAY_URL names: it may be asked for under each. */
  publicUrls: readonly string[]
  logLevel: 'error' | 'warn' | 'info' | 'debug'
  endWithStdin: boolean
}

/** Reads a gateway's settings. Pure. Throws ConfigError with one line for the first wrong one. */
export function parseGatewayConfig(env: Env): GatewayConfig {
  const s = readSettings(table, env)
  const name = s.SKYNET_GATEWAY_NAME ?? hostname().slice(0, 64)
  return {
    name,
    gatewayDir: join(s.SKYNET_DATA_DIR ?? defaultDataDir(env), `gateway-${slug(name)}`),
    host: s.SKYNET_GATEWAY_HOST,
    port: s.SKYNET_GATEWAY_PORT,
    token: s.SKYNET_GATEWAY_TOKEN,
    apiToken: s.SKYNET_GATEWAY_API_TOKEN,
    apiUrl: s.SKYNET_API_URL.replace(/\/+$/, ''),
    publicUrl: s.SKYNET_GATEWAY_URL?.[0] ?? null,
    publicUrls: s.SKYNET_GATEWAY_URL ?? [],
    logLevel: s.SKYNET_LOG_LEVEL,
    endWithStdin: s.SKYNET_PARENT_STDIN === '1',
  }
}

/** Where a gateway of these settings listens, and the address that others find it at. */
export type GatewayPlace = { host: string; port: number; publicUrl: string | null }

/** Reads the settings of a gateway that needs no tokens yet. Pure. Throws ConfigError with one line. */
export function parseGatewayPlace(env: Env): GatewayPlace {
  const optional = { SKYNET_GATEWAY_TOKEN: token.optional(), SKYNET_GATEWAY_API_TOKEN: token.optional() }
  const s = readSettings({ ...table, ...optional }, env)
  return {
    host: s.SKYNET_GATEWAY_HOST,
    port: s.SKYNET_GATEWAY_PORT,
    publicUrl: s.SKYNET_GATEWAY_URL?.[0] ?? null,
  }
}

const slug = (name: string): string => name.toLowerCase().replace(/[^a-z0-9._-]+/g, '-') || 'gateway'
