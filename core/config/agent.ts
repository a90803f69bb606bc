import { homedir, hostname } from 'node:os'
import { delimiter, join } from 'node:path'
import { z } from 'zod'
import {
  ConfigError,
  type Env,
  logLevel,
  MB,
  megabytes,
  readSettings,
  urlsOf,
  wholeNumber,
} from './settings.ts'

/**
 * Where this machine's SKYNET keeps its things when SKYNET_DATA_DIR says nothing: the platform's own place for
 * application data of the user. Pure.
 */
export function defaultDataDir(env: Env, platform: NodeJS.Platform = process.platform): string {
  const home = env.HOME || homedir()
  if (platform === 'darwin') return join(home, 'Library', 'Application Support', 'skynet')
  if (platform === 'win32') return join(env.LOCALAPPDATA || join(home, 'AppData', 'Local'), 'skynet')
  return join(env.XDG_DATA_HOME || join(home, '.local', 'share'), 'skynet')
}

const table = {
  SKYNET_DATA_DIR: z.string().optional(),
  SKYNET_AGENT_ID: z.uuid('a UUID').optional(),
  SKYNET_AGENT_NAME: z.string().max(64, 'at most 64 characters').optional(),
  SKYNET_AGENT_ROOTS: z.string().optional(),
  SKYNET_AGENT_CREDENTIAL: z.string().min(16, 'at least 16 characters').max(256).optional(),
  SKYNET_CONTROL_KEY: z.string().max(256, 'a public key as base64url').optional(),
  SKYNET_GATEWAY_URL: urlsOf('http', 'https').optional(),
  SKYNET_AGENT_SANDBOX: z.enum(['auto', 'required', 'off'], 'auto, required or off').default('auto'),
  SKYNET_AGENT_READABLE: z.string().optional(),
  SKYNET_AGENT_MAX_PROCESSES: wholeNumber(16, 1_000_000).default(4096),
  SKYNET_AGENT_MAX_MEMORY_MB: megabytes.optional(),
  SKYNET_AGENT_MAX_FILE_MB: megabytes.default(16_384 * MB),
  SKYNET_LOG_LEVEL: logLevel.default('info'),
  SKYNET_PARENT_STDIN: z.enum(['0', '1'], '0 or 1').default('0'),
}

/** Every setting of an agent, by name. */
export const agentSettings: readonly string[] = Object.keys(table)

/** Settings of one agent. What enrolment stored fills the places that are null here. */
export type AgentConfig = {
  name: string
  /** SKYNET's data directory; hidden from everything an agent runs. */
  dataDir: string
  /** This agent's part of it: journal, credential, machine id. */
  agentDir: string
  /** Directories it may work in, as given. */
  roots: string[]
  /** The default one of them, which is made when it is not there; the others must be. */
  workspace: string
  agentId: string | null
  credential: string | null
  controlKey: string | null
  /** It keeps a connection to each; none: as enrolled, else this machine's gateway. */
  gatewayUrls: readonly string[]
  sandbox: 'auto' | 'required' | 'off'
  /** What confined commands may read beside their roots and the machine's programs. */
  readable: string[]
  /** Of one command; bytes. `memory` null: what the machine has, but for a tenth. */
  limits: { processes: number; memory: number | null; fileSize: number }
  logLevel: 'error' | 'warn' | 'info' | 'debug'
  endWithStdin: boolean
}

/** Below the home directory. */
const WORKSPACE = 'skynet-workspace'

/** The file that says, while it is there, that the gateway refuses the agent. */
export const refusedMark = ({ agentDir }: Pick<AgentConfig, 'agentDir'>): string => join(agentDir, 'refused')

/** Gateways that an agent connects to at most. */
const MAX_GATEWAYS = 4

export const DEFAULT_GATEWAY_URL = 'http://127.0.0.1:8766'

/** Reads an agent's settings. Pure. Throws ConfigError with one line for the first wrong one. */
export function parseAgentConfig(env: Env): AgentConfig {
  const s = readSettings(table, env)
  const home = env.HOME || homedir()
  const name = s.SKYNET_AGENT_NAME ?? hostname().slice(0, 64)
  const dataDir = s.SKYNET_DATA_DIR ?? defaultDataDir(env)
  return {
    name,
    dataDir,
    agentDir: join(dataDir, `agent-${slug(name)}`),
    roots: parsePaths('SKYNET_AGENT_ROOTS', s.SKYNET_AGENT_ROOTS ?? `~/${WORKSPACE}`, home),
    workspace: join(home, WORKSPACE),
    agentId: s.SKYNET_AGENT_ID ?? null,
    credential: s.SKYNET_AGENT_CREDENTIAL ?? null,
    controlKey: s.SKYNET_CONTROL_KEY ?? null,
    gatewayUrls: [...new Set(s.SKYNET_GATEWAY_URL ?? [])].slice(0, MAX_GATEWAYS),
    sandbox: s.SKYNET_AGENT_SANDBOX,
    readable: parsePaths('SKYNET_AGENT_READABLE', s.SKYNET_AGENT_READABLE ?? '', home),
    limits: {
      processes: s.SKYNET_AGENT_MAX_PROCESSES,
      memory: s.SKYNET_AGENT_MAX_MEMORY_MB ?? null,
      fileSize: s.SKYNET_AGENT_MAX_FILE_MB,
    },
    logLevel: s.SKYNET_LOG_LEVEL,
    endWithStdin: s.SKYNET_PARENT_STDIN === '1',
  }
}

const slug = (name: string): string => name.toLowerCase().replace(/[^a-z0-9._-]+/g, '-') || 'agent'

function parsePaths(setting: string, given: string, home: string): string[] {
  const parts = given.split(delimiter).filter((part) => part.length > 0)
  const full = parts.map((root) => (root === '~' || root.startsWith('~/') ? join(home, root.slice(1)) : root))
  const relative = full.find((root) => !root.startsWith('/') && !/^[A-Za-z]:[\\/]/.test(root))
  if (relative !== undefined) {
    throw new ConfigError(
      `${setting}: got ${JSON.stringify(relative)}; it takes absolute directories or ~/...`,
    )
  }
  return full
}
